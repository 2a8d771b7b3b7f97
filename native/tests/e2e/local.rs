//! The server in this process, over a store whose options a test chooses.

use crate::client::Client;
use crate::server::ADMIN;
use reqlog::server::{Service, serve};
use reqlog::store::{Options, Store};
use reqlog_core::auth::Secret;
use reqlog_core::plan::Settings;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Listens until it is stopped or dropped.
pub struct Local {
    pub store: Store,
    /// Host and port.
    pub address: String,
    runtime: Option<Runtime>,
    stop: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
}

impl Local {
    pub fn start(data: &Path, options: Options) -> Self {
        let store = Store::open(data, options).unwrap();
        store.ensure_admin(Some(Secret::given(ADMIN.into()))).unwrap();
        let service = Arc::new(Service::new(store.clone(), Settings::default(), None).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(serve(service, listener, async {
            let _ = stopped.await;
        }));
        Self { store, address, runtime: Some(runtime), stop: Some((stop, task)) }
    }

    pub fn admin(&self) -> Client {
        Client::new(&format!("http://{}", self.address), Some(ADMIN))
    }

    /// Ends the server as a signal does, and the store with it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some((stop, task)) = self.stop.take() else { return };
        let _ = stop.send(());
        if let Some(runtime) = self.runtime.take() {
            let served = runtime.block_on(task);
            // its tasks hold the store
            drop(runtime);
            assert!(std::thread::panicking() || served.is_ok_and(|served| served.is_ok()));
        }
        self.store.close().unwrap();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.end();
    }
}
