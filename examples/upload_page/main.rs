//! A web page that takes a file and shows its segments as they come: `cargo run --release --example upload_page -- [MODEL]`, then
//! open <http://127.0.0.1:8080>.
//!
//! The page sends the file as it is, and the answer is a line of JSON for each segment, sent when its window is decoded. Where
//! the reader goes away, the transcription is cancelled.

use std::error::Error;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};
use whisper_rs::{Audio, CancelToken, TranscribeOptions, Whisper};

/// What the browser shows.
pub const PAGE: &str = include_str!("page.html");

/// The largest upload, in bytes: it is in memory until it is decoded.
const LARGEST: u64 = 256 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let model = std::env::args().nth(1).unwrap_or("base".to_owned());
    let whisper = Arc::new(Whisper::builder(&model).load()?);
    let server = Server::http("127.0.0.1:8080").map_err(|error| error.to_string())?;
    println!("http://{}", server.server_addr());
    for request in server.incoming_requests() {
        let whisper = Arc::clone(&whisper);
        thread::spawn(move || {
            if let Err(error) = answer(request, &whisper) {
                eprintln!("error: {error}");
            }
        });
    }
    Ok(())
}

/// Answers a request: the page, or the segments of the file that is sent.
pub fn answer(mut request: Request, whisper: &Whisper) -> io::Result<()> {
    match (request.method(), request.url()) {
        (Method::Get, "/") => request.respond(html(PAGE)),
        (Method::Post, "/transcribe") => {
            let mut file = Vec::new();
            request
                .as_reader()
                .take(LARGEST + 1)
                .read_to_end(&mut file)?;
            if file.len() as u64 > LARGEST {
                let refused = Response::from_string("the file is too large");
                return request.respond(refused.with_status_code(413));
            }
            let mut lines = Lines::begin(request.into_writer())?;
            if let Err(error) = transcribe(whisper, file, &mut lines) {
                lines.write(&json!({ "error": error.to_string() }))?;
            }
            lines.end()
        }
        _ => request.respond(Response::empty(404)),
    }
}

/// A page as an answer.
pub fn html(page: &str) -> Response<Cursor<Vec<u8>>> {
    let response = Response::from_string(page);
    match Header::from_bytes("Content-Type", "text/html; charset=utf-8") {
        Ok(header) => response.with_header(header),
        Err(()) => response,
    }
}

/// Writes each segment of a file, until nobody reads them.
fn transcribe(whisper: &Whisper, file: Vec<u8>, lines: &mut Lines) -> whisper_rs::Result<()> {
    let audio = Audio::from_reader(Cursor::new(file), "upload")?;
    let cancel = CancelToken::new();
    whisper
        .transcription(&audio, &TranscribeOptions::default())
        .until(&cancel)
        .on_segment(|segment| {
            let segment = json!({
                "start": segment.start, "end": segment.end, "text": segment.text,
            });
            if lines.write(&segment).is_err() {
                cancel.cancel();
            }
        })
        .run()?;
    Ok(())
}

/// An answer of lines, each of which is sent at once: in the chunks of HTTP/1.1, since nobody knows the length before the end.
struct Lines(Box<dyn Write + Send>);

impl Lines {
    fn begin(mut out: Box<dyn Write + Send>) -> io::Result<Self> {
        out.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
        )?;
        out.flush()?;
        Ok(Self(out))
    }

    fn write(&mut self, value: &Value) -> io::Result<()> {
        let line = format!("{value}\n");
        write!(self.0, "{:x}\r\n{line}\r\n", line.len())?;
        self.0.flush()
    }

    fn end(mut self) -> io::Result<()> {
        self.0.write_all(b"0\r\n\r\n")?;
        self.0.flush()
    }
}
