//! A load balancer: a TCP address that is known before the server is started, so that the server's public URL can be
//! where it is really reached. OAuth 2 libraries compare the two.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::app::{Options, TestApp};

/// The address in front of one server. It ends when it is dropped.
pub struct Front {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Front {
    /// Starts a server whose public URL is this front's.
    pub async fn start(options: Options) -> (Self, TestApp) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let address = listener.local_addr().expect("an address");
        let app = options.set("server.public_url", format!("http://{address}")).start().await;
        let accepting = tokio::spawn(accept(listener, app.server.address()));
        (Self { address, accepting }, app)
    }

    /// The URL, without a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr) {
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let Ok(mut server) = TcpStream::connect(server).await else { return };
            // Either side may go away; the other one sees that.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
