//! What every request can reach.

use actix_web::{dev::ServiceRequest, web};
use service::{
    Store, access::Gate, background::Context, error, idempotency::Running, user::Passwords,
};

use crate::{config::Settings, stream::Streams};

/// What every request can reach.
#[derive(Debug, Clone)]
pub struct State {
    /// The database.
    pub store: Store,
    /// Who is asking.
    pub gate: Gate,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// What is being done of what is done once.
    pub running: Running,
    /// The streams of events that are open.
    pub streams: Streams,
    /// The settings.
    pub settings: Settings,
}

impl State {
    /// The state over a store.
    ///
    /// # Errors
    /// If passwords cannot be hashed here.
    pub fn new(store: Store, settings: Settings) -> error::Result<Self> {
        let gate = Gate::new(store.clone(), settings.access_ttl);
        let passwords = Passwords::new(store.random())?;
        Ok(Self {
            store,
            gate,
            passwords,
            running: Running::default(),
            streams: Streams::default(),
            settings,
        })
    }

    /// What works in the background.
    pub fn context(&self) -> Context {
        Context::new(self.store.clone())
    }

    /// The state that a request came in over.
    pub(crate) fn of(request: &ServiceRequest) -> web::Data<Self> {
        #[expect(clippy::expect_used, reason = "the app is never built without")]
        request.app_data::<web::Data<Self>>().expect("the state is part of the app").clone()
    }
}
