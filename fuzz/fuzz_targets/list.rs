#![no_main]

#[path = "../../src/cli/inputs/list_file.rs"]
mod list_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match list_file::names(bytes, "list") {
        Ok(names) => {
            // A list of the same names has the same names, whatever they begin and end with.
            let mut list = b"\xef\xbb\xbf".to_vec();
            for name in &names {
                list.extend_from_slice(name.as_os_str().as_encoded_bytes());
                list.extend_from_slice(b"\r\n");
            }
            assert_eq!(list_file::names(list.as_slice(), "list"), Ok(names));
        }
        Err(message) => assert!(
            message.starts_with("list: line ") && !message.contains('\n'),
            "{message}"
        ),
    }
});
