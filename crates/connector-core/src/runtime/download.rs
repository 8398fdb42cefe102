//! Downloads of files, and the redirects on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::declare::method::{Effect, Method};
use crate::exchange::request::{Request, Role};
use crate::exchange::response::bad_answer;
use crate::runtime::attempts::Attempts;
use crate::runtime::call::Call;
use crate::runtime::stop::Stop;
use crate::runtime::watching::requests::begin_client;
use crate::value::error::Error;
use crate::value::file;
use crate::value::outcome::Answer;
use crate::value::wording::quote;
use crate::wire::transport::OpenResponse;

/// A fetched file, as an outcome shows it.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct FetchedFile {
    content_type: String,
    file_name: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// The target of a redirect.
struct Redirect {
    url: Url,
    /// `true` if the target is on another host.
    is_elsewhere: bool,
}

impl Redirect {
    fn from_response(opened: &OpenResponse) -> Result<Self, Error> {
        let refused = |what: &str| bad_answer(&format!("The answer ({}) {what}.", opened.status()), Effect::Read);
        let to = opened.header("location").ok_or_else(|| refused("is a redirect to nowhere"))?;
        let url = opened.url().join(to).map_err(|_| refused("is a redirect to an invalid URL"))?;
        let is_elsewhere = url.origin() != opened.url().origin();
        Ok(Self { url, is_elsewhere })
    }

    /// Checks that the target is public and https: a response must not lead into the network of this host.
    fn check(&self, local: bool) -> Result<(), Error> {
        let host = self.url.host_str().unwrap_or_default();
        let refused = |why: &str| {
            let message = format!("The file is a redirect to {}, which is not followed: {why}.", quote(host));
            Err(bad_answer(&message, Effect::Read))
        };
        match self.url.scheme() {
            "https" if !is_private_host(host) => Ok(()),
            "https" | "http" if local && is_private_host(host) => Ok(()),
            "https" => refused("it is an address inside a network"),
            _ => refused("it is not https"),
        }
    }

    fn path(&self) -> String {
        let path = self.url.path();
        self.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }
}

/// Checks whether a host is this machine or a private address.
fn is_private_host(host: &str) -> bool {
    use std::net::IpAddr;
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => {
            let carrier = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            carrier || address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private_host(&mapped.to_string()),
            None => address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local(),
        },
        Err(_) => host == "localhost" || host.ends_with(".localhost") || !host.contains('.'),
    }
}

impl Call<'_> {
    /// Fetches a file to the caller's sink, or into the answer.
    ///
    /// Redirects are followed over https alone, and another host gets no credential.
    /// A file that a sink has a part of is not fetched again.
    pub async fn download(&self, request: Request) -> Result<Answer, Stop> {
        self.plan(&request, true)?;
        let mut attempts = self.begin(&request, Role::Own);
        loop {
            match self.download_once(&request, &attempts).await {
                Err(Stop::Failed(error)) => attempts.wait_to_repeat(error).await?,
                result => return result,
            }
        }
    }

    async fn download_once(&self, request: &Request, attempts: &Attempts<'_>) -> Result<Answer, Stop> {
        const MOST_HOPS: usize = 5;
        let mut opened = self.open(request, Role::Own, attempts).await?;
        let mut has_left_host = false;
        for _ in 0..MOST_HOPS {
            if !matches!(opened.status(), 301 | 302 | 303 | 307 | 308) {
                break;
            }
            let redirect = Redirect::from_response(&opened)?;
            has_left_host |= redirect.is_elsewhere;
            drop(opened);
            opened = if has_left_host {
                let access = self.connections.access(self.connection).await?;
                redirect.check(access.is_local())?;
                let address = (redirect.url.host_str().unwrap_or_default().to_owned(), redirect.url.port_or_known_default());
                let on_sent = || {
                    self.session.begin_to_send(0, false, &access)?;
                    Ok(begin_client((Method::Get, None), (&address.0, address.1), 0, 0))
                };
                self.transport.fetch_public(redirect.url, &access, on_sent).await?
            } else {
                self.open(&Request::new(Method::Get, redirect.path(), 0), Role::Helper, attempts).await?
            };
        }
        self.session.lock().meta.status = Some(opened.status());
        match opened.status() {
            200..=299 => {}
            300..=399 => return Err(bad_answer(&format!("The file is not found within {MOST_HOPS} redirects."), request.effect()).into()),
            status if has_left_host => {
                return Err(bad_answer(&format!("The host that keeps the file refuses it ({status})."), request.effect()).into());
            }
            _ => {
                let response = self.record_response(opened.read(self.transport.largest_answer()).await)?;
                return Err(self.read_refusal(&response, request).into());
            }
        }
        let content_type = opened.header("content-type").unwrap_or("application/octet-stream").to_owned();
        let last = opened.url().path_segments().and_then(|mut segments| segments.next_back()).filter(|last| last.contains('.'));
        let file_name = opened.header("content-disposition").and_then(file::read_file_name).or_else(|| last.map(str::to_owned));
        let file_name = file_name.unwrap_or_else(|| "file".to_owned());
        let sink = self.session.lock().sink.take();
        let (size, base64) = match sink {
            Some(mut sink) => (opened.write_to(&mut sink, self.transport.largest_file()).await?, None),
            None => {
                let body = opened.read(self.transport.largest_answer()).await?.body;
                (body.len() as u64, Some(STANDARD.encode(&body)))
            }
        };
        Ok(Answer::from_data(&FetchedFile { content_type, file_name, size, base64 }))
    }
}
