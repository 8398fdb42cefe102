//! `connector sign-in`: a link that signs a person in to `connector serve`, once.

use secrecy::ExposeSecret;

use super::{DEFAULT_URL, Failure, Stored, client, owner, print, public_url};
use crate::exit_code::Exit;
use crate::store::LOCAL;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where browsers reach `connector serve`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The owner whose connections the person may set up
    #[arg(long, value_name = "NAME", default_value = LOCAL, value_parser = owner)]
    owner: String,
    #[command(flatten)]
    stored: Stored,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let url = public_url(arguments.public_url.as_deref())?.unwrap_or_else(|| DEFAULT_URL.to_owned());
    let link = arguments.stored.made(&url, &client()?).await?.create_sign_in_link(&arguments.owner).await?;
    print(format!("{url}/sign-in?token={}", link.expose_secret()).as_bytes())
}
