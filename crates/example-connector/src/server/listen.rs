//! The server on a port of this machine.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

use crate::server::account::Account;
use crate::server::grants::Grants;
use crate::server::message::{Denial, Received, Reply};
use crate::server::{api, oauth};

/// Larkdesk on a port of this machine. It ends with the runtime that it was started on.
#[derive(Clone, Debug)]
pub struct LarkdeskServer {
    url: String,
    world: Arc<Mutex<World>>,
}

/// All that the server keeps.
#[derive(Debug)]
struct World {
    accounts: Vec<Account>,
    grants: Grants,
    /// The first lines of the requests that came, without the version.
    requests: Vec<String>,
    /// The status with which the next call of the API fails.
    failure: Option<u16>,
}

impl LarkdeskServer {
    /// Starts a server with two accounts, `North` and `South`.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let world = World { accounts: Account::build_demo(), grants: Grants::default(), requests: Vec::new(), failure: None };
        let server = Self { url, world: Arc::new(Mutex::new(world)) };
        tokio::spawn(server.clone().serve(listener));
        Ok(server)
    }

    /// Returns the base URL, which stands in for the host of the API and that of OAuth.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lists the requests that came, each as `GET /v1/tickets?limit=1`.
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// Ends all access tokens of OAuth, as time does.
    pub fn expire_access_tokens(&self) {
        self.lock().grants.expire_access_tokens();
    }

    /// Counts the grants of OAuth that are in force.
    pub fn count_grants(&self) -> usize {
        self.lock().grants.count_live()
    }

    /// Lets the next call of the API fail with a status.
    pub fn fail_next(&self, status: u16) {
        self.lock().failure = Some(status);
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| server.clone().handle(request));
                // A client that ends a connection early is none of the server's faults.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn handle(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return Ok(build_response(Denial::new(400, "broken_body", "The body broke off.").into()));
        };
        let header = |name: header::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let query = head.uri.query().unwrap_or_default();
        let received = Received {
            method: head.method.to_string(),
            path: percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            bearer: header(header::AUTHORIZATION).strip_prefix("Bearer ").map(str::to_owned),
            content_type: header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().to_owned(),
            origin: self.url.clone(),
            body: body.to_bytes(),
        };
        let mut world = self.lock();
        world.requests.push(format!("{} {}", head.method, head.uri.path_and_query().map_or("/", |target| target.as_str())));
        Ok(build_response(world.answer(&received)))
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn answer(&mut self, request: &Received) -> Reply {
        match request.segments().as_slice() {
            ["oauth", ..] => oauth::answer(&mut self.grants, request),
            ["v1", ..] => self.answer_call(request).unwrap_or_else(Reply::from),
            _ => Denial::new(404, "not_found", "There is no such path.").into(),
        }
    }

    /// Answers a call of the API, if its token is in force.
    fn answer_call(&mut self, request: &Received) -> Result<Reply, Denial> {
        if let Some(status) = self.failure.take() {
            return Err(Denial::new(status, "on_purpose", "The server fails on purpose."));
        }
        let token = request.bearer.as_deref().ok_or_else(|| Denial::new(401, "unauthenticated", "The request has no token."))?;
        if let Some(account) = self.accounts.iter_mut().find(|account| account.token == token) {
            return api::answer(account, None, request);
        }
        // A vendor that quotes the token does what the runtime has to make good.
        let unknown = || Denial::new(401, "unauthenticated", format!("The token {token} is not in force."));
        let scopes = self.grants.find_scopes(token).ok_or_else(unknown)?;
        let first = self.accounts.first_mut().ok_or_else(unknown)?;
        api::answer(first, Some(&scopes), request)
    }
}

fn build_response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body.as_ref().map_or_else(Bytes::new, |body| body.to_string().into())));
    *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    if reply.body.is_some() {
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = header::HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
