//! The page of `examples/upload_page`: its answers to a plain client, and the page itself in a real browser.

use std::io::{Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tiny_http::{Request, Response, Server};
use whisper_rs::Whisper;

use super::{browser, data, upload_page, wav};

/// A server that lasts as long as the test: the example's, with the page under other addresses as well, and with readers at it.
struct Served {
    whisper: Whisper,
    /// Held by a transcription: one goes on at a time.
    transcribing: Mutex<()>,
    /// Whether a transcription went on when the page told that it shows its first segment.
    shown_meanwhile: AtomicBool,
}

impl Served {
    fn start() -> (SocketAddr, Arc<Self>) {
        let served = Arc::new(Self {
            whisper: Whisper::builder("tiny.en").device("cpu").load().unwrap(),
            transcribing: Mutex::new(()),
            shown_meanwhile: AtomicBool::new(false),
        });
        let server = Server::http("127.0.0.1:0").unwrap();
        let address = server.server_addr().to_ip().unwrap();
        let shared = Arc::clone(&served);
        thread::spawn(move || {
            for request in server.incoming_requests() {
                let served = Arc::clone(&shared);
                thread::spawn(move || served.answer(request));
            }
        });
        (address, served)
    }

    fn answer(&self, request: Request) {
        match request.url() {
            "/reader" => respond(request, with_script(READER)),
            "/impatient" => respond(request, with_script(IMPATIENT)),
            "/clip" => respond(request, Response::from_data(clip(1))),
            // Several windows.
            "/long" => respond(request, Response::from_data(clip(6))),
            "/shown" => {
                let meanwhile = self.transcribing.try_lock().is_err();
                self.shown_meanwhile.store(meanwhile, Ordering::Relaxed);
                respond(request, Response::from_string(""));
            }
            // The browser's clock stands still as long as an answer has not begun: whoever asks for this waits for the transcription.
            "/idle" => {
                drop(self.transcribing.lock());
                respond(request, Response::from_string(""));
            }
            "/transcribe" => {
                let _going_on = self.transcribing.lock();
                // A reader who chooses another file goes away.
                let _ = upload_page::answer(request, &self.whisper);
            }
            _ => upload_page::answer(request, &self.whisper).unwrap(),
        }
    }
}

fn respond(request: Request, response: Response<Cursor<Vec<u8>>>) {
    request.respond(response).unwrap();
}

/// The page with a reader at it.
fn with_script(script: &str) -> Response<Cursor<Vec<u8>>> {
    let page = upload_page::PAGE;
    upload_page::html(&page.replace(
        "</html>",
        &format!("<script>{READERS}{script}</script></html>"),
    ))
}

/// The speech of `jfk.wav`, 11 s, so many times.
fn clip(times: usize) -> Vec<u8> {
    let samples = wav::read_pcm16(data("jfk.wav").as_ref());
    wav::pcm16(1, 16_000, &samples.repeat(times))
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
    let (address, _) = Served::start();
    let page = answer(address, "GET /", b"");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("type=\"file\""),
        "{page}"
    );
    let segments = answer(address, "POST /transcribe", &clip(1));
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

/// What readers do: they choose a file, and stay until the end.
const READERS: &str = "
const choose = async (address) => {
  const clip = await (await fetch(address)).blob();
  const files = new DataTransfer();
  files.items.add(new File([clip], 'clip.wav'));
  const input = document.getElementById('file');
  input.files = files.files;
  input.dispatchEvent(new Event('change'));
  // The browser's clock stands still as long as an answer has not begun.
  do await fetch('/idle'); while (document.documentElement.dataset.state === 'working');
};
";

/// Chooses a clip.
const READER: &str = "addEventListener('load', () => choose('/clip'));";

/// Chooses a long clip, and another one when the first segment is shown.
const IMPATIENT: &str = "
addEventListener('load', () => choose('/long'));
new MutationObserver(async (_, observer) => {
  if (!segments.childElementCount) return;
  observer.disconnect();
  await fetch('/shown');
  choose('/clip');
}).observe(segments, { childList: true });
";

/// The segments of a page that has come to its end.
fn segments_of(dom: &str) -> &str {
    assert!(dom.contains("data-state=\"done\""), "{dom}");
    assert!(!dom.contains("class=\"error\""), "{dom}");
    let shown = dom.split_once("id=\"segments\"").unwrap().1;
    shown.split_once("<script>").unwrap().0
}

#[test]
#[ignore = "needs chromium"]
fn a_reader_sees_the_segments_of_the_file_that_he_chose() {
    let (address, _) = Served::start();
    let dom = browser::shown(&format!("http://{address}/reader"));
    let shown = segments_of(&dom);
    assert!(
        shown.contains("<time>0.0</time>") && shown.contains("Americans"),
        "{dom}"
    );
}

#[test]
#[ignore = "needs chromium"]
fn segments_are_shown_as_they_come_until_another_file_is_chosen() {
    let (address, served) = Served::start();
    let dom = browser::shown(&format!("http://{address}/impatient"));
    assert!(
        served.shown_meanwhile.load(Ordering::Relaxed),
        "the first segment was shown at the end"
    );
    let shown = segments_of(&dom);
    assert_eq!(shown.matches("fellow Americans").count(), 1, "{dom}");
    assert_eq!(shown.matches("<time>0.0</time>").count(), 1, "{dom}");
}
