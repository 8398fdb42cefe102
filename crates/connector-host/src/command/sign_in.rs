//! `connector sign-in`: prints a link that signs a person in to `connector serve`, once.

use secrecy::ExposeSecret;

use crate::setup::http::build_client;
use crate::setup::stored::StoreArguments;
use crate::terminal::arguments::{DEFAULT_URL, LOCAL_OWNER, find_public_url, parse_owner};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::linked::Linked;
use crate::terminal::stdout::print;

#[derive(clap::Args)]
pub(super) struct SignInArguments {
    /// The URL at which browsers reach `connector serve`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The owner whose connections the person may set up
    #[arg(long, value_name = "NAME", default_value = LOCAL_OWNER, value_parser = parse_owner)]
    owner: String,
    #[command(flatten)]
    stored: StoreArguments,
}

pub(super) async fn run(linked: Linked, arguments: SignInArguments) -> Result<Exit, Failure> {
    let url = find_public_url(arguments.public_url.as_deref())?.unwrap_or_else(|| DEFAULT_URL.to_owned());
    let link = arguments.stored.open_or_create(linked, &url, &build_client()?).await?.create_sign_in_link(&arguments.owner).await?;
    print(&format!("{url}/sign-in?token={}", link.expose_secret()))
}
