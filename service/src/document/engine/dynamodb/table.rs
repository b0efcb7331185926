//! Requests to the table.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        TableStatus, TransactWriteItem,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use super::{
    address::Address,
    failure::Failure,
    item::{self, Item, text},
};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a request is sent at most. What was done already is not done again: transactions have a token, and
/// documents the id of their write.
const MAX_ATTEMPTS: u32 = 3;
/// How long a new table is waited for, in steps.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
const MAX_POLLS: u32 = 120;

pub(super) struct Table {
    client: Client,
    pub(super) name: String,
}

/// What became of a transaction.
pub(super) enum Committed {
    Yes,
    /// Another was faster: what stands in the place of the first item, if that was the reason.
    No(Option<Item>),
}

impl Table {
    pub(super) fn new(address: Address, timeout: Duration) -> Self {
        let Address { access_key, secret_key, region, table, endpoint } = address;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .operation_timeout(timeout)
            .build();
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "steward"))
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS));
        config.set_endpoint_url(endpoint);
        Self { client: Client::from_conf(config.build()), name: table }
    }

    /// An item; none if there is none, or no table.
    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, Failure> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let got = request.set_key(Some(item::key(pk, sk))).send().await;
        match got.map_err(Failure::from) {
            Ok(got) => Ok(got.item),
            Err(Failure::NoTable) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The first `limit` items of a partition in a range, and whether there are more.
    pub(super) async fn range(
        &self,
        pk: &str,
        (from, to): (String, String),
        filter: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), Failure> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let wanted = limit.saturating_sub(items.len()).saturating_add(1);
            let request = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("PK = :pk AND SK BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":from", text(&from))
                .expression_attribute_values(":to", text(&to))
                .set_filter_expression(filter.map(str::to_owned))
                .limit(i32::try_from(wanted).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take());
            let found = match request.send().await.map_err(Failure::from) {
                Err(Failure::NoTable) => return Ok((items, false)),
                found => found?,
            };
            items.extend(found.items.unwrap_or_default());
            start = found.last_evaluated_key.filter(|key: &HashMap<_, _>| !key.is_empty());
            if items.len() > limit || start.is_none() {
                let more = items.len() > limit;
                items.truncate(limit);
                return Ok((items, more));
            }
        }
    }

    /// Does all of it or nothing.
    pub(super) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Committed, Failure> {
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        let Err(error) = request.send().await else { return Ok(Committed::Yes) };
        let service = error.as_service_error();
        let cancelled = service.and_then(|error| {
            match error {
            aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError
                ::TransactionCanceledException(cancelled) => Some(cancelled),
            _ => None,
        }
        });
        let Some(cancelled) = cancelled else { return Err(error.into()) };
        let reasons = cancelled.cancellation_reasons();
        let known = ["None", "ConditionalCheckFailed", "TransactionConflict"];
        if reasons.iter().any(|reason| !known.contains(&reason.code().unwrap_or("None"))) {
            return Err(Failure::Unavailable("DynamoDB did not take the transaction".to_owned()));
        }
        let first = reasons.first().and_then(|reason| reason.item()).cloned();
        Ok(Committed::No(first.filter(|item| !item.is_empty())))
    }

    /// Creates the table, unless another has done it, and waits until it is there.
    pub(super) async fn create(&self) -> Result<(), Failure> {
        let mut request = self.client.create_table().table_name(&self.name);
        request = request.billing_mode(BillingMode::PayPerRequest);
        for (name, key_type) in [("PK", KeyType::Hash), ("SK", KeyType::Range)] {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
            let element =
                KeySchemaElement::builder().attribute_name(name).key_type(key_type).build();
            let no_table = |_| Failure::Unavailable("the table is not described".to_owned());
            request = request.attribute_definitions(attribute.map_err(no_table)?);
            request = request.key_schema(element.map_err(no_table)?);
        }
        if let Err(error) = request.send().await {
            let in_use =
                error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception());
            if !in_use {
                return Err(error.into());
            }
        }
        for _ in 0..MAX_POLLS {
            let described = self.client.describe_table().table_name(&self.name).send().await?;
            if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Err(Failure::Unavailable("DynamoDB has not created the table yet".to_owned()))
    }
}
