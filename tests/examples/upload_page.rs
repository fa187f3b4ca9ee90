//! The page of `examples/upload_page`: its answers to a plain client, and the page itself in a real browser.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use tiny_http::{Response, Server};
use whisper_rs::Whisper;

use super::{browser, data, upload_page};

/// The address of a server that lasts as long as the test. `/reader` is the page with a reader at it.
fn served() -> SocketAddr {
    let whisper = Whisper::builder("tiny.en").device("cpu").load().unwrap();
    let server = Server::http("127.0.0.1:0").unwrap();
    let address = server.server_addr().to_ip().unwrap();
    thread::spawn(move || {
        for request in server.incoming_requests() {
            match request.url() {
                "/reader" => {
                    let page = upload_page::PAGE.replace("</html>", &format!("{READER}</html>"));
                    request.respond(upload_page::html(&page)).unwrap();
                }
                "/clip" => {
                    let clip = fs::read(data("jfk.wav")).unwrap();
                    request.respond(Response::from_data(clip)).unwrap();
                }
                _ => upload_page::answer(request, &whisper).unwrap(),
            }
        }
    });
    address
}

/// The whole answer to a request.
fn answer(address: SocketAddr, request: &str, body: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        connection,
        "{request} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    connection.write_all(body).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_file_is_answered_by_its_segments() {
    let address = served();
    let page = answer(address, "GET /", b"");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("type=\"file\""),
        "{page}"
    );
    let clip = fs::read(data("jfk.wav")).unwrap();
    let segments = answer(address, "POST /transcribe", &clip);
    // In chunks, since nobody knows the length before the end.
    assert!(
        segments.contains("Transfer-Encoding: chunked"),
        "{segments}"
    );
    assert!(
        segments.contains("\"start\":0.0") && segments.contains("Americans"),
        "{segments}"
    );
    let refused = answer(address, "POST /transcribe", b"no audio");
    assert!(refused.contains("\"error\":\"upload: "), "{refused}");
}

/// Chooses a file as a reader would.
const READER: &str = "<script>
addEventListener('load', async () => {
  const clip = await (await fetch('/clip')).blob();
  const files = new DataTransfer();
  files.items.add(new File([clip], 'jfk.wav'));
  const input = document.getElementById('file');
  input.files = files.files;
  input.dispatchEvent(new Event('change'));
  // The browser's clock stands still as long as an answer has not begun, and this server answers one request after the other.
  do await fetch('/idle'); while (document.documentElement.dataset.state === 'working');
});
</script>";

#[test]
#[ignore = "needs chromium"]
fn a_reader_sees_the_segments_of_the_file_that_he_chose() {
    let dom = browser::shown(&format!("http://{}/reader", served()));
    assert!(dom.contains("data-state=\"done\""), "{dom}");
    let shown = dom.split("id=\"segments\"").nth(1).unwrap();
    assert!(
        shown.contains("<time>0.0</time>") && shown.contains("Americans"),
        "{dom}"
    );
    assert!(!shown.contains("class=\"error\""), "{dom}");
}
