//! A local server that speaks the Hub's protocol: the listing of a repository, files behind
//! `resolve/`, large ones behind a redirect to a store at another address, ranges, ETags, commit
//! headers and tokens; it is a proxy as well. And it can fail in the ways that networks do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The connection breaks in the middle of a large file, this many times.
    Truncate(usize),
    /// A byte of the large files differs from what their hash says.
    WrongContent,
    /// There is no such repository.
    NotFound,
    /// Whoever does not bring this token is turned away.
    NeedsToken(&'static str),
    /// Too many requests, this many times; to come again after so many seconds.
    TooMany(usize, u64),
    /// The store has a problem, this many times.
    StoreDown(usize),
    /// Requests are taken, and never answered.
    HangAtOnce,
    /// The large file begins, and nothing more comes; this many times.
    HangInDownload(usize),
    /// The answer to the listing is a page of HTML.
    Nonsense,
    /// Redirects without a target.
    BrokenRedirect,
    /// Redirects that lead to themselves.
    RedirectLoop,
    /// The store sends whole files, whatever range is asked for, and the first one breaks off.
    NoRanges(bool),
    /// The listing names the files and nothing more, as some copies of the Hub have it; with wrong
    /// content, perhaps.
    BareListing {
        wrong: bool,
    },
    /// The listing says that the large files have this size.
    Size(u64),
}

/// Large files are those that a repository stores by sha256.
struct RemoteFile {
    content: Vec<u8>,
    large: bool,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path, or the host and port that a proxy is to connect to.
    pub path: String,
    /// First byte of the range.
    pub start: Option<usize>,
    /// The `Authorization` header.
    pub token: Option<String>,
}

struct State {
    repository: String,
    files: BTreeMap<String, RemoteFile>,
    fault: Mutex<Fault>,
    log: Mutex<Vec<Request>>,
    endpoint: String,
    store: String,
}

pub struct Server {
    pub endpoint: String,
    state: Arc<State>,
}

impl Server {
    /// Serves the files of a folder as a repository.
    pub fn start(repository: &str, folder: &Path, fault: Fault) -> Self {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_string();
            let large = name.ends_with(".safetensors") || name.ends_with(".bin");
            let content = std::fs::read(path).unwrap();
            (name, RemoteFile { content, large })
        });
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [endpoint, store] =
            [0, 1].map(|at| format!("http://{}", listeners[at].local_addr().unwrap()));
        let state = Arc::new(State {
            repository: repository.into(),
            files: files.collect(),
            fault: Mutex::new(fault),
            log: Mutex::default(),
            endpoint: endpoint.clone(),
            store,
        });
        for listener in listeners {
            let shared = state.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let shared = shared.clone();
                    std::thread::spawn(move || {
                        // A client that goes away ends its connection, and nothing else.
                        let _ = shared.serve(stream.unwrap());
                    });
                }
            });
        }
        Self { endpoint, state }
    }

    /// The requests so far.
    pub fn log(&self) -> Vec<Request> {
        self.state.log.lock().unwrap().clone()
    }

    /// Where the requests for a file in the store began.
    pub fn starts_of(&self, name: &str) -> Vec<Option<usize>> {
        let path = format!("/store/{name}");
        let log = self.log().into_iter();
        log.filter(|request| request.path == path)
            .map(|request| request.start)
            .collect()
    }

    pub fn set_fault(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let mut words = line.split(' ').map(str::to_owned);
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            let mut request = Request {
                path,
                start: None,
                token: None,
            };
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let Some((name, value)) = line.trim().split_once(": ") else {
                    break;
                };
                match name.to_lowercase().as_str() {
                    "range" => {
                        let start = value.strip_prefix("bytes=").unwrap();
                        request.start = Some(start.strip_suffix('-').unwrap().parse().unwrap());
                    }
                    "authorization" => request.token = Some(value.to_owned()),
                    _ => {}
                }
            }
            self.log.lock().unwrap().push(request.clone());
            let out = reader.get_mut();
            if method == "CONNECT" {
                // A tunnel, whose end is here, whatever host was asked for.
                out.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            } else if !self.answer(out, &request)? {
                return Ok(());
            }
        }
    }

    /// Answers one request; `false` ends the connection.
    fn answer(&self, out: &mut TcpStream, request: &Request) -> std::io::Result<bool> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::HangAtOnce => {
                std::thread::sleep(Duration::from_secs(60));
                return Ok(false);
            }
            Fault::NotFound => return head(out, "404 Not Found", "Content-Length: 0\r\n"),
            Fault::TooMany(times, seconds) if times > 0 => {
                self.set(Fault::TooMany(times - 1, seconds));
                let headers = format!("Retry-After: {seconds}\r\nContent-Length: 0\r\n");
                return head(out, "429 Too Many Requests", &headers);
            }
            Fault::NeedsToken(token)
                if !request.path.starts_with("/store/")
                    && request.token != Some(format!("Bearer {token}")) =>
            {
                let headers = "X-Error-Message: Access to it is restricted.\r\n\
                               Content-Length: 0\r\n";
                return head(out, "401 Unauthorized", headers);
            }
            _ => {}
        }
        let listing = format!("/api/models/{}/revision/main?blobs=true", self.repository);
        if request.path == listing {
            let body = match fault {
                Fault::Nonsense => "<html>Sign in to this network</html>".into(),
                _ => self.listing(fault),
            };
            head(
                out,
                "200 OK",
                &format!("Content-Length: {}\r\n", body.len()),
            )?;
            return out.write_all(body.as_bytes()).map(|()| true);
        }
        if let Some(name) = request.path.strip_prefix("/store/") {
            return self.send(out, &self.files[name], fault, request.start, "");
        }
        let resolve = format!("/{}/resolve/{COMMIT}/", self.repository);
        let Some((name, file)) = request
            .path
            .strip_prefix(&resolve)
            .and_then(|name| Some((name, self.files.get(name)?)))
        else {
            return head(out, "404 Not Found", "Content-Length: 0\r\n");
        };
        let etag = hash(file);
        if file.large {
            let location = match fault {
                Fault::BrokenRedirect => String::new(),
                Fault::RedirectLoop => format!("Location: {}{}\r\n", self.endpoint, request.path),
                _ => format!("Location: {}/store/{name}\r\n", self.store),
            };
            let headers = format!(
                "X-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{etag}\"\r\n{location}\
                 Content-Length: 0\r\n"
            );
            return head(out, "302 Found", &headers);
        }
        let headers = format!("X-Repo-Commit: {COMMIT}\r\nETag: \"{etag}\"\r\n");
        self.send(out, file, Fault::None, request.start, &headers)
    }

    fn send(
        &self,
        out: &mut TcpStream,
        file: &RemoteFile,
        fault: Fault,
        start: Option<usize>,
        headers: &str,
    ) -> std::io::Result<bool> {
        let size = file.content.len();
        let start = match fault {
            Fault::NoRanges(_) => None,
            _ => start,
        };
        if let Fault::StoreDown(times) = fault
            && times > 0
        {
            self.set(Fault::StoreDown(times - 1));
            return head(out, "503 Service Unavailable", "Content-Length: 0\r\n");
        }
        if start.is_some_and(|start| start >= size) {
            let headers = format!("Content-Range: bytes */{size}\r\nContent-Length: 0\r\n");
            return head(out, "416 Range Not Satisfiable", &headers);
        }
        let mut body = file.content[start.unwrap_or(0)..].to_vec();
        let headers = format!("{headers}Content-Length: {}\r\n", body.len());
        match start {
            None => head(out, "200 OK", &headers)?,
            Some(start) => {
                let range = format!("Content-Range: bytes {start}-{}/{size}\r\n", size - 1);
                head(out, "206 Partial Content", &format!("{headers}{range}"))?
            }
        };
        match fault {
            Fault::WrongContent | Fault::BareListing { wrong: true } => {
                *body.last_mut().unwrap() ^= 1
            }
            Fault::Truncate(times) if times > 0 => {
                self.set(Fault::Truncate(times - 1));
                out.write_all(&body[..body.len() / 2])?;
                return Ok(false);
            }
            Fault::NoRanges(true) => {
                self.set(Fault::NoRanges(false));
                out.write_all(&body[..body.len() / 2])?;
                return Ok(false);
            }
            Fault::HangInDownload(times) if times > 0 => {
                self.set(Fault::HangInDownload(times - 1));
                out.write_all(&body[..body.len() / 2])?;
                std::thread::sleep(Duration::from_secs(60));
                return Ok(false);
            }
            _ => {}
        }
        out.write_all(&body)?;
        Ok(true)
    }

    fn listing(&self, fault: Fault) -> String {
        let siblings: Vec<_> = self
            .files
            .iter()
            .map(|(name, file)| {
                let mut size = file.content.len() as u64;
                if let Fault::Size(claimed) = fault
                    && file.large
                {
                    size = claimed;
                }
                if matches!(fault, Fault::BareListing { .. }) {
                    json!({"rfilename": name})
                } else if file.large {
                    let lfs = json!({"sha256": hash(file), "size": size, "pointerSize": 133});
                    json!({"rfilename": name, "size": size, "blobId": "00", "lfs": lfs})
                } else {
                    json!({"rfilename": name, "size": size, "blobId": hash(file)})
                }
            })
            .collect();
        json!({"id": self.repository, "sha": COMMIT, "siblings": siblings}).to_string()
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
}

/// The head of an answer.
fn head(out: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<bool> {
    write!(out, "HTTP/1.1 {status}\r\n{headers}\r\n").map(|()| true)
}

fn hash(file: &RemoteFile) -> String {
    if file.large {
        Sha256::digest(&file.content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    } else {
        let mut sha1 = sha1_smol::Sha1::new();
        sha1.update(format!("blob {}\0", file.content.len()).as_bytes());
        sha1.update(&file.content);
        sha1.digest().to_string()
    }
}
