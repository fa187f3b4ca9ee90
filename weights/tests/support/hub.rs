//! A local server that speaks the Hub's protocol: the listing of a repository, files behind
//! `resolve/`, large ones behind a redirect, ranges, ETags and commit headers; and it can fail in
//! the ways that networks do.

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
    /// Requests are taken, and never answered.
    HangAtOnce,
    /// The large file begins, and nothing more comes.
    HangInDownload,
    /// The answer to the listing is a page of HTML.
    Nonsense,
    /// Redirects without a target.
    BrokenRedirect,
}

/// Large files are those that a repository stores by sha256.
struct RemoteFile {
    content: Vec<u8>,
    large: bool,
}

struct State {
    repository: String,
    files: BTreeMap<String, RemoteFile>,
    fault: Mutex<Fault>,
    log: Mutex<Vec<String>>,
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
            (
                name,
                RemoteFile {
                    content: std::fs::read(path).unwrap(),
                    large,
                },
            )
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            repository: repository.into(),
            files: files.collect(),
            fault: Mutex::new(fault),
            log: Mutex::default(),
        });
        let (shared, base) = (state.clone(), endpoint.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, base) = (shared.clone(), base.clone());
                std::thread::spawn(move || {
                    // A client that goes away ends its connection, and nothing else.
                    let _ = shared.serve(stream.unwrap(), &base);
                });
            }
        });
        Self { endpoint, state }
    }

    /// The requests so far: method, path, range.
    pub fn log(&self) -> Vec<String> {
        self.state.log.lock().unwrap().clone()
    }

    pub fn set_fault(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
    }
}

impl State {
    fn serve(&self, stream: TcpStream, base: &str) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request)? == 0 {
                return Ok(());
            }
            let mut range = None;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let line = line.trim().to_lowercase();
                if let Some(value) = line.strip_prefix("range: bytes=") {
                    let (start, end) = value.split_once('-').unwrap();
                    range = Some((start.parse().unwrap(), end.parse::<usize>().ok()));
                }
                if line.is_empty() {
                    break;
                }
            }
            let path = request.split(' ').nth(1).unwrap().to_string();
            self.log.lock().unwrap().push(format!("{path} {range:?}"));
            if !self.answer(reader.get_mut(), base, &path, range)? {
                return Ok(());
            }
        }
    }

    /// Answers one request; `false` ends the connection.
    fn answer(
        &self,
        out: &mut TcpStream,
        base: &str,
        path: &str,
        range: Option<(usize, Option<usize>)>,
    ) -> std::io::Result<bool> {
        let fault = *self.fault.lock().unwrap();
        if fault == Fault::HangAtOnce {
            std::thread::sleep(Duration::from_secs(60));
            return Ok(false);
        }
        let not_found = |out: &mut TcpStream| {
            out.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                .map(|()| true)
        };
        if fault == Fault::NotFound {
            return not_found(out);
        }
        if path.starts_with(&format!(
            "/api/models/{}/revision/main?blobs=true",
            self.repository
        )) {
            let body = match fault {
                Fault::Nonsense => "<html>Sign in to this network</html>".into(),
                _ => self.listing(),
            };
            write!(
                out,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )?;
            return Ok(true);
        }
        if let Some(name) = path.strip_prefix("/cdn/") {
            return self.send(out, &self.files[name], fault, range, "");
        }
        let resolve = format!("/{}/resolve/{COMMIT}/", self.repository);
        let Some((name, file)) = path
            .strip_prefix(&resolve)
            .and_then(|name| Some((name, self.files.get(name)?)))
        else {
            return not_found(out);
        };
        let etag = hash(file);
        if file.large {
            let location = match fault {
                Fault::BrokenRedirect => String::new(),
                _ => format!("Location: {base}/cdn/{name}\r\n"),
            };
            write!(
                out,
                "HTTP/1.1 302 Found\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{etag}\"\r\n\
                 {location}Content-Length: 0\r\n\r\n"
            )?;
            return Ok(true);
        }
        let headers = format!("X-Repo-Commit: {COMMIT}\r\nETag: \"{etag}\"\r\n");
        self.send(out, file, Fault::None, range, &headers)
    }

    fn send(
        &self,
        out: &mut TcpStream,
        file: &RemoteFile,
        fault: Fault,
        range: Option<(usize, Option<usize>)>,
        headers: &str,
    ) -> std::io::Result<bool> {
        let size = file.content.len();
        let (start, end) = range.unwrap_or((0, None));
        if start >= size {
            write!(
                out,
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{size}\r\n\
                 Content-Length: 0\r\n\r\n"
            )?;
            return Ok(true);
        }
        let end = end.map_or(size, |last| (last + 1).min(size));
        let mut body = file.content[start..end].to_vec();
        write!(
            out,
            "HTTP/1.1 206 Partial Content\r\n{headers}Content-Range: bytes {start}-{}/{size}\r\n\
             Content-Length: {}\r\n\r\n",
            end - 1,
            body.len()
        )?;
        // The first byte alone is asked for to learn the size.
        if body.len() > 1 {
            match fault {
                Fault::WrongContent => *body.last_mut().unwrap() ^= 1,
                Fault::Truncate(times) if times > 0 => {
                    *self.fault.lock().unwrap() = Fault::Truncate(times - 1);
                    out.write_all(&body[..body.len() / 2])?;
                    return Ok(false);
                }
                Fault::HangInDownload => {
                    out.write_all(&body[..body.len() / 2])?;
                    std::thread::sleep(Duration::from_secs(60));
                    return Ok(false);
                }
                _ => {}
            }
        }
        out.write_all(&body)?;
        Ok(true)
    }

    fn listing(&self) -> String {
        let siblings: Vec<_> = self
            .files
            .iter()
            .map(|(name, file)| {
                let size = file.content.len();
                if file.large {
                    let lfs = json!({"sha256": hash(file), "size": size, "pointerSize": 133});
                    json!({"rfilename": name, "size": size, "blobId": "00", "lfs": lfs})
                } else {
                    json!({"rfilename": name, "size": size, "blobId": hash(file)})
                }
            })
            .collect();
        json!({"id": self.repository, "sha": COMMIT, "siblings": siblings}).to_string()
    }
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
