//! Streams that share a connection.

use crate::server::{ADMIN, Server};
use crate::tail::write;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

type Connection = SendRequest<Empty<Bytes>>;

async fn connect(server: &Server) -> Connection {
    let socket = TcpStream::connect(server.address()).await.unwrap();
    let (connection, driver) = handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    tokio::spawn(driver);
    connection
}

async fn ask(connection: &mut Connection, server: &Server, path: &str, key: &str) -> Response<Incoming> {
    let request = Request::get(format!("{}{path}", server.url)).header("authorization", format!("Bearer {key}"));
    connection.send_request(request.body(Empty::new()).unwrap()).await.unwrap()
}

/// Reads until the text came so often.
async fn read(stream: &mut Response<Incoming>, text: &str, times: usize) {
    let (mut all, mut seen) = (String::new(), 0);
    while seen < times {
        let piece = stream.frame().await.unwrap().unwrap().into_data().unwrap();
        // a window may cut a character in two, but not one of these
        all.push_str(&String::from_utf8_lossy(&piece));
        seen += all.matches(text).count();
        let kept = all.len().saturating_sub(text.len() - 1);
        all = all.split_off(kept);
    }
    assert_eq!(seen, times);
}

#[test]
fn streams_of_one_connection_do_not_wait_for_each_other_and_each_has_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let admin = server.admin();
    let (_, key) = admin.make_key(&json!({"name": "r", "role": "read"}));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = connect(&server).await;
        let mut unread = ask(&mut connection, &server, "/api/v1/tail", ADMIN).await;
        let mut prompt = ask(&mut connection, &server, "/_logs/stream", ADMIN).await;
        assert_eq!(prompt.headers()["content-type"], "text/event-stream");
        assert!(!prompt.headers().contains_key("connection"));
        // more than the window of a stream
        for first in (0..2000).step_by(200) {
            tokio::task::block_in_place(|| write(&admin, first..first + 200, 4000));
            read(&mut prompt, "data: {", 400).await;
        }
        read(&mut unread, "data: {", 2000).await;

        let mut open = Vec::new();
        for _ in 0..16 {
            open.push(ask(&mut connection, &server, "/api/v1/tail", &key).await);
            assert_eq!(open.last().unwrap().status(), 200);
        }
        assert_eq!(ask(&mut connection, &server, "/api/v1/tail", &key).await.status(), 429);
        // one that is reset gives its place back
        open.pop();
        while ask(&mut connection, &server, "/api/v1/tail", &key).await.status() != 200 {}
    });
    server.stop();
}
