//! `connector sign-in`: a link that signs a person in to `connector serve`, once.

use secrecy::ExposeSecret;

use super::{DEFAULT_URL, Failure, Of, print};
use crate::env;
use crate::exit_code::Exit;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where browsers reach `connector serve`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    of: Of,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let url = arguments.public_url.or_else(|| env::variable(env::PUBLIC_URL)).unwrap_or_else(|| DEFAULT_URL.to_owned());
    let link = arguments.of.vault().await?.sign_in_link(&arguments.of.owner).await?;
    print(format!("{}/sign-in?token={}", url.trim_end_matches('/'), link.expose_secret()).as_bytes())
}
