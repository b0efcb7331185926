//! The metrics of `/metrics` as OpenTelemetry's: what is measured once is recorded for both.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, CounterFn, GaugeFn, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    atomics::AtomicU64 as AtomicF64,
};
use metrics_exporter_prometheus::PrometheusRecorder;
use metrics_util::{
    layers::FanoutBuilder,
    registry::{Registry, Storage},
};
use opentelemetry::{KeyValue, metrics::Meter};

use crate::prometheus;

static METER: OnceLock<Meter> = OnceLock::new();

/// Has what is measured from now on sent.
pub(super) fn set_meter(meter: Meter) {
    let _ = METER.set(meter);
}

/// Has what is measured recorded, and sent if metrics are.
pub(crate) fn set_recorder(recorder: PrometheusRecorder) -> Result<(), String> {
    let Some(meter) = METER.get() else {
        return metrics::set_global_recorder(recorder).map_err(|error| error.to_string());
    };
    let both =
        FanoutBuilder::default().add_recorder(recorder).add_recorder(OtlpRecorder::new(meter));
    metrics::set_global_recorder(both.build()).map_err(|error| error.to_string())
}

/// Records with OpenTelemetry's instruments.
struct OtlpRecorder {
    instruments: Arc<Instruments>,
    registry: Registry<Key, Arc<Instruments>>,
}

impl OtlpRecorder {
    fn new(meter: &Meter) -> Self {
        let instruments = Instruments { meter: meter.clone(), descriptions: RwLock::default() };
        let instruments = Arc::new(instruments);
        Self { registry: Registry::new(instruments.clone()), instruments }
    }
}

impl Recorder for OtlpRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.instruments.describe(&name, unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.instruments.describe(&name, unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.instruments.describe(&name, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry.get_or_create_counter(key, |counter| counter.clone().into())
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        self.registry.get_or_create_gauge(key, |gauge| gauge.clone().into())
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        self.registry.get_or_create_histogram(key, |histogram| histogram.clone().into())
    }
}

/// Makes the instruments.
struct Instruments {
    meter: Meter,
    descriptions: RwLock<HashMap<String, (Option<Unit>, SharedString)>>,
}

impl Instruments {
    fn describe(&self, name: &KeyName, unit: Option<Unit>, description: SharedString) {
        let mut descriptions = self.descriptions.write().unwrap_or_else(PoisonError::into_inner);
        descriptions.insert(name.as_str().to_owned(), (unit, description));
    }

    /// The unit, as UCUM has it, and the description.
    fn description(&self, name: &str) -> (&'static str, String) {
        let descriptions = self.descriptions.read().unwrap_or_else(PoisonError::into_inner);
        let (unit, description) = descriptions.get(name).cloned().unwrap_or_default();
        let unit = match unit {
            Some(Unit::Seconds) => "s",
            Some(Unit::Bytes) => "By",
            _ => "1",
        };
        (unit, description.to_string())
    }
}

fn attributes(key: &Key) -> Vec<KeyValue> {
    let labels = key.labels();
    labels.map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

impl Storage<Key> for Instruments {
    type Counter = Arc<OtlpCounter>;
    type Gauge = Arc<OtlpGauge>;
    type Histogram = Arc<OtlpHistogram>;

    fn counter(&self, key: &Key) -> Self::Counter {
        let (unit, description) = self.description(key.name());
        let counter = self.meter.u64_counter(key.name().to_owned());
        let counter = counter.with_unit(unit).with_description(description).build();
        Arc::new(OtlpCounter { counter, attributes: attributes(key), total: AtomicU64::new(0) })
    }

    fn gauge(&self, key: &Key) -> Self::Gauge {
        let (unit, description) = self.description(key.name());
        let gauge = self.meter.f64_gauge(key.name().to_owned());
        let gauge = gauge.with_unit(unit).with_description(description).build();
        Arc::new(OtlpGauge { gauge, attributes: attributes(key), value: AtomicF64::new(0) })
    }

    fn histogram(&self, key: &Key) -> Self::Histogram {
        let (unit, description) = self.description(key.name());
        let histogram = self.meter.f64_histogram(key.name().to_owned());
        let histogram = histogram.with_unit(unit).with_description(description);
        let histogram = histogram.with_boundaries(prometheus::buckets(key.name()).to_vec()).build();
        Arc::new(OtlpHistogram { histogram, attributes: attributes(key) })
    }
}

struct OtlpCounter {
    counter: opentelemetry::metrics::Counter<u64>,
    attributes: Vec<KeyValue>,
    total: AtomicU64,
}

impl CounterFn for OtlpCounter {
    fn increment(&self, value: u64) {
        self.total.fetch_add(value, Ordering::Relaxed);
        self.counter.add(value, &self.attributes);
    }

    fn absolute(&self, value: u64) {
        let before = self.total.fetch_max(value, Ordering::Relaxed);
        self.counter.add(value.saturating_sub(before), &self.attributes);
    }
}

struct OtlpGauge {
    gauge: opentelemetry::metrics::Gauge<f64>,
    attributes: Vec<KeyValue>,
    /// OpenTelemetry's gauges do not add.
    value: AtomicF64,
}

impl OtlpGauge {
    fn record(&self) {
        let value = f64::from_bits(self.value.load(Ordering::Relaxed));
        self.gauge.record(value, &self.attributes);
    }
}

impl GaugeFn for OtlpGauge {
    fn increment(&self, value: f64) {
        GaugeFn::increment(&self.value, value);
        self.record();
    }

    fn decrement(&self, value: f64) {
        GaugeFn::decrement(&self.value, value);
        self.record();
    }

    fn set(&self, value: f64) {
        GaugeFn::set(&self.value, value);
        self.record();
    }
}

struct OtlpHistogram {
    histogram: opentelemetry::metrics::Histogram<f64>,
    attributes: Vec<KeyValue>,
}

impl HistogramFn for OtlpHistogram {
    fn record(&self, value: f64) {
        self.histogram.record(value, &self.attributes);
    }
}
