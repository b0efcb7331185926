//! What every request can reach.

use actix_web::{dev::ServiceRequest, web};
use metrics_exporter_prometheus::PrometheusHandle;
use service::{
    Store,
    background::Workers,
    cache::Cache,
    catalogue,
    consumer::Consumer,
    error::{Error, Result},
    idempotency::InFlight,
    identity::{access::AccessCache, throttle::Throttle, user::Passwords},
    limit::Limiter,
    outbound::Outbound,
    random::Random,
    redis::Redis,
};

use crate::{
    config::Settings, connections::Connections, intake::Intake, limit::RequestLimits,
    operations::LastReport, prometheus, stream::Streams,
};

/// What every request can reach.
#[derive(Debug, Clone)]
pub struct State {
    /// The database.
    pub store: Store,
    /// Who is asking.
    pub access_cache: AccessCache,
    /// What nodes share besides the database.
    pub redis: Option<Redis>,
    /// What was computed of late.
    pub cache: Cache,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Who guesses.
    pub throttle: Throttle,
    /// Who asks too often.
    pub limits: RequestLimits,
    /// Who is connected.
    pub connections: Connections,
    /// The bodies that are being read.
    pub intake: Intake,
    /// What is being done of what is done once.
    pub in_flight: InFlight,
    /// Who makes requests to addresses that users give.
    pub outbound: Outbound,
    /// The streams of events that are open.
    pub streams: Streams,
    /// The metrics of the process.
    pub prometheus: PrometheusHandle,
    /// The last report on the database.
    pub(crate) last_report: LastReport,
    /// The settings.
    pub settings: Settings,
}

impl State {
    /// The state over a store.
    ///
    /// # Errors
    /// If passwords cannot be hashed here, requests cannot be made, or the URL of Redis is none.
    pub fn new(store: Store, settings: Settings) -> Result<Self> {
        // Before anything is measured.
        let prometheus = prometheus::recorder();
        prometheus::begin(&store);
        let access_cache = AccessCache::new(store.clone(), settings.access_ttl);
        let redis = settings.redis_url.as_ref().map(|url| Redis::new(url.reveal())).transpose();
        let redis = redis.map_err(|error| Error::Internal(error.to_string()))?;
        let cache = Cache::new(settings.cache_bytes, redis.as_ref());
        let limiter = Limiter::new(store.clock(), redis.clone());
        // Not of the store's randomness: how many nodes start must not change ids.
        let passwords = Passwords::new(&Random::system(), settings.password_cost)?;
        let outbound = Outbound::new(settings.outbound_allow.clone())?;
        Ok(Self {
            store,
            access_cache,
            redis,
            cache,
            passwords,
            throttle: Throttle::new(limiter.clone(), settings.rates.attempts()),
            limits: RequestLimits::new(limiter, &settings.rates),
            connections: Connections::new(
                settings.limits.network_connections,
                settings.trusted_proxies.clone(),
            ),
            intake: Intake::new(settings.limits.body_budget),
            in_flight: InFlight::default(),
            outbound,
            streams: Streams::default(),
            prometheus,
            last_report: LastReport::default(),
            settings,
        })
    }

    /// Who works in the background, with these consumers.
    pub fn workers(&self, consumers: &'static [Consumer]) -> Workers {
        let Settings { webhooks, saga_timeouts, .. } = &self.settings;
        catalogue::workers(&self.store, &self.outbound, webhooks, *saga_timeouts, consumers)
    }

    /// The state that a request came in over.
    pub(crate) fn of(request: &ServiceRequest) -> web::Data<Self> {
        #[expect(clippy::expect_used, reason = "the app is never built without")]
        request.app_data::<web::Data<Self>>().expect("the state is part of the app").clone()
    }
}
