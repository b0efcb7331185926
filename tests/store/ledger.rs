//! Many who move money between the same accounts at once, and one who looks on.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use entity::account_balance;
use futures_util::future::join_all;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter};
use service::{
    Actor, Error, Store,
    idempotency::WriteOnce,
    identity::access,
    input::Create,
    money::{
        account::{Account, AccountInput, Kind},
        journal_entry::{
            JournalEntryInput, Transfer, post,
            verify::{Findings, verify},
        },
    },
    resource,
};
use tests::{App, Database, each_lasting_database};
use uuid::Uuid;

const ACCOUNTS: usize = 200;
const CLIENTS: u64 = 16;
/// How many transfers each client gets done.
const TRANSFERS: usize = 625;
/// What each account has in the beginning.
const FUNDS: i64 = 1000;

/// The same numbers for the same seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("a small number")
    }
}

async fn account(store: &Store, actor: &Actor, name: String, limited: bool) -> Uuid {
    let input = AccountInput {
        name,
        kind: Kind::Asset,
        currency: None,
        may_go_below_zero: !limited,
        closed: false,
    };
    let write = WriteOnce::<Account>::new(store);
    resource::create(write, actor, input.into()).await.expect("an account").id
}

fn entry(transfers: Vec<Transfer>) -> Create<JournalEntryInput> {
    let occurred_on = "2026-11-01".parse().expect("a day");
    JournalEntryInput { occurred_on, memo: None, reference: None, transfers }.into()
}

fn transfer(debit: Uuid, credit: Uuid, amount_minor: i64) -> Transfer {
    let [debit_account_id, credit_account_id] = [debit, credit];
    Transfer { debit_account_id, credit_account_id, amount_minor, currency: "EUR".into() }
}

/// What all accounts stand at, at one moment, and what they stand at together.
async fn balances(store: &Store, organization: Uuid) -> HashMap<Uuid, i64> {
    let rows = account_balance::Entity::find()
        .filter(account_balance::COLUMN.organization_id.eq(organization));
    let rows = rows.all(store.read()).await.expect("balances");
    rows.into_iter().map(|row| (row.id, row.debits_minor - row.credits_minor)).collect()
}

/// Moves random amounts in entries of one to five transfers, until enough were not refused. Gives
/// how many transfers were.
async fn client(store: Store, actor: Actor, accounts: Arc<Vec<Uuid>>, seed: u64) -> usize {
    let mut numbers = Numbers(seed);
    let (mut done, mut refused) = (0, 0);
    while done < TRANSFERS {
        let count = (numbers.below(5) + 1).min(TRANSFERS - done);
        let transfers = (0..count).map(|_| {
            let debit = numbers.below(ACCOUNTS);
            let credit = (debit + 1 + numbers.below(ACCOUNTS - 1)) % ACCOUNTS;
            let amount = i64::try_from(numbers.below(400) + 1).expect("a small number");
            transfer(accounts[debit], accounts[credit], amount)
        });
        match post(WriteOnce::new(&store), &actor, entry(transfers.collect())).await {
            Ok(_) => done += count,
            Err(Error::State { code: "account_overdrawn", .. }) => refused += count,
            Err(other) => panic!("neither posted nor refused: {other}"),
        }
    }
    refused
}

/// Looks again and again, until all is done: nothing is ever made or lost, and nobody overdraws.
async fn watch(
    store: Store,
    organization: Uuid,
    accounts: Arc<Vec<Uuid>>,
    done: Arc<AtomicBool>,
) -> u64 {
    let mut looks = 0;
    while !done.load(Ordering::SeqCst) {
        let balances = balances(&store, organization).await;
        assert_eq!(balances.values().sum::<i64>(), 0, "the sum over everything");
        let sum: i64 = accounts.iter().map(|id| balances[id]).sum();
        assert_eq!(sum, FUNDS * i64::try_from(ACCOUNTS).expect("a small number"));
        let limited = accounts.iter().step_by(2);
        assert!(limited.clone().all(|id| balances[id] >= 0), "a limited account is below zero");
        looks += 1;
        // Leaves the machine to those who move something.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    looks
}

async fn faults(store: &Store) -> Vec<String> {
    let findings = verify(store).await.expect("the ledger can be verified");
    findings.into_iter().flat_map(|Findings { faults, .. }| faults).collect()
}

#[each_lasting_database(flavor = "multi_thread")]
async fn the_sum_of_200_accounts_is_constant_under_10000_transfers_of_16_clients(
    database: Database,
) {
    let app = App::start(&database).await;
    let (_, home) = app.owner_of("household").await;
    let organization = home.rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok());
    let organization = organization.expect("an organization's path ends with its id");
    let store = app.store.clone();
    let actor = access::operator(&store, organization, None).await.expect("an actor");
    let opening = account(&store, &actor, "Opening".into(), false).await;
    // Every second one may not go below zero.
    let names = (0..ACCOUNTS).map(|at| account(&store, &actor, format!("{at}"), at % 2 == 0));
    let accounts = Arc::new(join_all(names).await);
    let funds = accounts.iter().map(|id| transfer(*id, opening, FUNDS)).collect();
    post(WriteOnce::new(&store), &actor, entry(funds)).await.expect("funds");

    let begun = std::time::Instant::now();
    let done = Arc::new(AtomicBool::new(false));
    let watcher = watch(store.clone(), organization, accounts.clone(), done.clone());
    let watcher = tokio::spawn(watcher);
    let clients = (0..CLIENTS)
        .map(|seed| client(store.clone(), actor.clone(), accounts.clone(), seed))
        .map(tokio::spawn);
    let refused: usize =
        join_all(clients).await.into_iter().map(|refused| refused.expect("done")).sum();
    done.store(true, Ordering::SeqCst);
    let looks = watcher.await.expect("nobody saw anything amiss");
    eprintln!("{looks} looks, {refused} transfers refused, {:?}", begun.elapsed());
    assert!(refused > 0 && looks > 10, "{refused} refused, {looks} looks: nothing was tested");
    assert_eq!(faults(&store).await, Vec::<String>::new());

    // What was moved without a transfer shows.
    let id = accounts[0];
    let moved = store.write(async move |tx| {
        account_balance::Entity::update_many()
            .set(account_balance::ActiveModel { debits_minor: Set(7), ..Default::default() })
            .filter(account_balance::COLUMN.organization_id.eq(organization))
            .filter(account_balance::COLUMN.id.eq(id))
            .exec(tx)
            .await?;
        Ok(())
    });
    moved.await.expect("sums can be moved behind steward's back");
    let found = faults(&store).await;
    assert!(found[0].contains(&accounts[0].to_string()), "{found:?}");
    app.stop().await;
}
