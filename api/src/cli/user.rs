use std::{io::Read, process::ExitCode};

use clap::Subcommand;
use service::{
    Error, Store,
    identity::user::{
        NewUser, Passwords, User,
        operator::{self, Account},
    },
};

use super::{CliError, connect, missing_migrations, print::out};
use crate::config::{Database, Hashing};

/// How many bytes of standard input are read for a password.
const MAX_INPUT_BYTES: u64 = 4096;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show all users, in the order of their addresses
    List,
    /// Make a user, whoever may register
    ///
    /// The password is made, and shown once; or it is read from standard input.
    Create {
        /// The address to log in with
        email: String,
        /// How the person is called
        #[arg(long)]
        name: String,
        /// Read the password from standard input: its first line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a user another password, and end all of their sessions
    ///
    /// The password is made, and shown once; or it is read from standard input. API keys go on.
    ResetPassword {
        /// The address that the user logs in with
        email: String,
        /// Read the password from standard input: its first line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Refuse a user's logins, end their sessions, and let their API keys rest
    Disable {
        /// The address that the user logs in with
        email: String,
        /// Even if an organization has no owner left then who can log in
        #[arg(long)]
        force: bool,
    },
    /// Let a user log in again, and their API keys be used
    Enable {
        /// The address that the user logs in with
        email: String,
    },
}

pub(super) async fn run(
    database: &Database,
    hashing: &Hashing,
    action: Action,
) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    if !missing_migrations(&store).await?.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    match action {
        Action::List => list(&store).await?,
        Action::Create { email, name, password_stdin } => {
            create(&store, hashing, email, name, password_stdin).await?;
        }
        Action::ResetPassword { email, password_stdin } => {
            let (password, made) = password(&store, password_stdin)?;
            let passwords = Passwords::new(store.random(), hashing.cost())?;
            let user = operator::reset_password(&store, &passwords, &email, password).await;
            say(&user.map_err(named)?, "has another password, and no session", made.as_deref());
        }
        Action::Disable { email, force } => disable(&store, &email, force).await?,
        Action::Enable { email } => {
            let user = operator::enable(&store, &email).await.map_err(named)?;
            say(&user, "can log in", None);
        }
    }
    store.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &Store) -> Result<(), CliError> {
    let mut none = true;
    let show = |account| {
        none = false;
        show(account);
    };
    operator::each(store, show).await?;
    if none {
        out!("none");
    }
    Ok(())
}

async fn create(
    store: &Store,
    hashing: &Hashing,
    email: String,
    display_name: String,
    password_stdin: bool,
) -> Result<(), CliError> {
    let (password, made) = password(store, password_stdin)?;
    let passwords = Passwords::new(store.random(), hashing.cost())?;
    let new = NewUser { email, display_name, password, invitation: None };
    let user = operator::create(store, &passwords, new).await.map_err(named)?;
    say(&user, "is made", made.as_deref());
    Ok(())
}

async fn disable(store: &Store, email: &str, force: bool) -> Result<(), CliError> {
    match operator::disable(store, email, force).await {
        Ok(user) => {
            say(&user, "is disabled", None);
            Ok(())
        }
        Err(Error::State { code: "last_owner", detail, .. }) => {
            Err(format!("{detail}; --force disables them nevertheless").into())
        }
        Err(error) => Err(named(error)),
    }
}

/// The password, and once more if it was made here and has to be shown.
fn password(store: &Store, from_stdin: bool) -> Result<(String, Option<String>), CliError> {
    if !from_stdin {
        let made = store.random().secret().reveal().to_owned();
        return Ok((made.clone(), Some(made)));
    }
    let mut text = String::new();
    std::io::stdin().take(MAX_INPUT_BYTES).read_to_string(&mut text)?;
    Ok((text.lines().next().unwrap_or_default().to_owned(), None))
}

fn named(error: Error) -> CliError {
    match error {
        Error::NotFound(what) => format!("there is no such {what}").into(),
        other => other.into(),
    }
}

fn say(User { id, email, .. }: &User, what: &str, password: Option<&str>) {
    out!("{id}  {email} {what}");
    if let Some(password) = password {
        out!("password  {password}");
    }
}

fn show(Account { user, disabled_at }: Account) {
    let User { id, email, display_name, created_at, .. } = user;
    let state = disabled_at.map(|at| format!(", disabled since {at}")).unwrap_or_default();
    out!("{id}  {email}  {display_name}, since {created_at}{state}");
}
