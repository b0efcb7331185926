//! What OpenTelemetry's own variables say: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>. Here are
//! those that turn telemetry on or off and that would mislead if nobody read them; the SDK reads the others.

use std::{env, fmt, time::Duration};

use url::Url;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// Its name, as in the paths of OTLP.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// Where a signal is sent.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) signal: Signal,
    pub(crate) url: Url,
    /// How long sending may take.
    pub(crate) timeout: Duration,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some services have their keys in the query.
        let mut url = self.url.clone();
        url.set_query(None);
        write!(f, "{} to {url}", self.signal.as_str())
    }
}

/// A variable that is empty is one that is not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the environment has each signal sent. Nowhere, unless it names an endpoint.
///
/// # Errors
/// What cannot be done. It holds no value that may be a secret.
pub(crate) fn targets() -> Result<Vec<Target>, String> {
    targets_of(&variable)
}

fn targets_of(variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Target>, String> {
    let is_disabled =
        variable("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"));
    if is_disabled {
        return Ok(Vec::new());
    }
    let targets = Signal::ALL.into_iter().map(|signal| target(variable, signal));
    targets.filter_map(Result::transpose).collect()
}

fn target(
    variable: &dyn Fn(&str) -> Option<String>,
    signal: Signal,
) -> Result<Option<Target>, String> {
    let upper = signal.as_str().to_uppercase();
    // The one of the signal, or else that of all.
    let setting = |suffix: &str| {
        let own = format!("OTEL_EXPORTER_OTLP_{upper}_{suffix}");
        let names = [own, format!("OTEL_EXPORTER_OTLP_{suffix}")];
        names.into_iter().find_map(|name| variable(&name).map(|value| (name, value)))
    };
    let Some((name, endpoint)) = setting("ENDPOINT") else { return Ok(None) };
    let exporter = format!("OTEL_{upper}_EXPORTER");
    match variable(&exporter).as_deref() {
        Some("none") => return Ok(None),
        None | Some("otlp") => {}
        Some(_) => return Err(format!("{exporter} must be otlp or none")),
    }
    if let Some((name, protocol)) = setting("PROTOCOL")
        && protocol != "http/protobuf"
    {
        return Err(format!("{name} must be http/protobuf"));
    }
    let mut url = url(&name, &endpoint)?;
    if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/v1/{}", signal.as_str()));
    }
    let timeout = match setting("TIMEOUT") {
        None => DEFAULT_TIMEOUT,
        Some((name, text)) => {
            let milliseconds = text.parse().map_err(|_| format!("{name} must be milliseconds"))?;
            Duration::from_millis(milliseconds)
        }
    };
    Ok(Some(Target { signal, url, timeout }))
}

/// How long sending may take if nobody says.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

fn url(name: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| format!("{name} must be a URL as http://localhost:4318"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "{name} must not contain a user name or a password: use OTEL_EXPORTER_OTLP_HEADERS"
        ));
    }
    Ok(url)
}

/// What `steward check` says of them, a line each, or why they cannot be.
pub(crate) fn shown() -> Result<Vec<String>, String> {
    let targets = targets()?;
    if targets.is_empty() {
        return Ok(vec!["none: OTEL_EXPORTER_OTLP_ENDPOINT is not set".to_owned()]);
    }
    Ok(targets.iter().map(Target::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let shown = |it: Target| format!("{} {} {:?}", it.signal.as_str(), it.url, it.timeout);
        Ok(targets_of(&variable)?.into_iter().map(shown).collect())
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    #[test]
    fn an_endpoint_turns_all_signals_on() {
        assert_eq!(targets(&[]), Ok(vec![]));
        assert_eq!(targets(&[("OTEL_TRACES_EXPORTER", "otlp")]), Ok(vec![]));
        for endpoint in ["https://c.example/otlp", "https://c.example/otlp/"] {
            let all = ["traces", "metrics", "logs"];
            let all = all.map(|it| format!("{it} https://c.example/otlp/v1/{it} 10s"));
            assert_eq!(targets(&[(ENDPOINT.0, endpoint)]), Ok(all.to_vec()));
        }
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://tempo:4318/own");
        assert_eq!(targets(&[own]), Ok(vec!["traces http://tempo:4318/own 10s".to_owned()]));
        let timeout = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1500");
        let both = targets(&[ENDPOINT, own, timeout]).expect("targets");
        assert_eq!(both[0], "traces http://tempo:4318/own 1.5s");
        assert_eq!(both[1], "metrics http://collector:4318/v1/metrics 10s");
    }

    #[test]
    fn a_target_is_shown_without_the_keys_in_its_query() {
        let secret = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://c.example/logs?key=s3cr3t");
        let variable = |name: &str| (name == secret.0).then(|| secret.1.to_owned());
        let targets = targets_of(&variable).expect("targets");
        assert_eq!(targets[0].to_string(), "logs to https://c.example/logs");
    }

    #[test]
    fn signals_can_be_turned_off() {
        assert_eq!(targets(&[ENDPOINT, ("OTEL_SDK_DISABLED", "True")]), Ok(vec![]));
        let off = [ENDPOINT, ("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none")];
        let left = "traces http://collector:4318/v1/traces 10s";
        assert_eq!(targets(&off), Ok(vec![left.to_owned()]));
    }

    #[test]
    fn what_cannot_be_done_is_refused_without_a_secret() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:s3cr3t"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:s3cr3t@collector"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "s3cr3t"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_TRACES_EXPORTER", "jaeger"),
        ] {
            let endpoint = if name == ENDPOINT.0 { (name, value) } else { ENDPOINT };
            let refused = targets(&[endpoint, (name, value)]).expect_err(name);
            assert!(refused.starts_with(name) && !refused.contains("s3cr3t"), "{refused}");
        }
    }
}
