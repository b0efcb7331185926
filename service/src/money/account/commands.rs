use entity::{account, account_balance};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Account, AccountBalance, AccountInput, Kind, Purpose, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    resource::{self, Crud, Resource, versioned},
    role::Permission,
    store::{
        Store, Tx,
        page::{Page, PageQuery},
        stored::{self, StoredWord},
        versioned,
    },
    text::fold,
};

versioned!(Account);

impl Resource for Account {
    const ENTITY: &'static str = "account";
    const READ: Permission = Permission::ReadLedger;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

impl Crud for Account {
    type Input = AccountInput;
    const WRITE: Permission = Permission::ManageAccounts;
    const IN_USE: &'static str = "journal entries refer to the account; close the account instead";

    fn input(&self) -> AccountInput {
        AccountInput {
            name: self.name.clone(),
            kind: self.kind,
            currency: Some(self.currency.clone()),
            may_go_below_zero: self.may_go_below_zero,
            closed: self.closed,
        }
    }

    fn with_defaults(actor: &Actor, mut input: AccountInput) -> AccountInput {
        input.currency.get_or_insert_with(|| actor.settings.currency.clone());
        input
    }

    fn columns(_: &Actor, input: AccountInput) -> Result<account::ActiveModel> {
        let AccountInput { name, kind, currency, may_go_below_zero, closed } = input;
        let currency =
            currency.ok_or_else(|| Error::invalid("/currency", "required", "is required"))?;
        Ok(account::ActiveModel {
            name_key: Set(fold(&name)),
            name: Set(name),
            kind: Set(kind.as_str().to_owned()),
            currency: Set(currency),
            may_go_below_zero: Set(may_go_below_zero),
            closed: Set(closed),
            ..Default::default()
        })
    }

    /// What the entries of an account mean does not change: its kind and its currency stay.
    async fn check(
        tx: &Tx,
        actor: &Actor,
        current: Option<&Self>,
        input: &AccountInput,
    ) -> Result<()> {
        let Some(current) = current else { return Ok(()) };
        let stays = |field: &str| Error::invalid(field, "immutable", "must not be changed");
        if input.kind != current.kind {
            return Err(stays("/kind"));
        }
        if input.currency.as_ref() != Some(&current.currency) {
            return Err(stays("/currency"));
        }
        let sums = repository::lock_sums(tx, actor.organization_id, current.id).await?;
        let balance = current.kind.balance(sums.debits_minor, sums.credits_minor);
        if !input.may_go_below_zero && balance < 0 {
            return Err(Error::state("below_zero", "the balance of the account is negative"));
        }
        Ok(())
    }

    async fn after_create(tx: &Tx, actor: &Actor, created: &Self) -> Result<()> {
        repository::insert_sums(tx, actor.organization_id, created.id).await
    }

    /// First of all, as postings do it: nobody waits for the other.
    async fn before_delete(tx: &Tx, actor: &Actor, current: &Self) -> Result<()> {
        repository::delete_sums(tx, actor.organization_id, current.id).await
    }
}

/// The account that steward uses for something in a currency, made when it is first needed.
pub(crate) async fn of_purpose(
    tx: &Tx,
    actor: &Actor,
    purpose: Purpose,
    currency: &str,
) -> Result<Uuid> {
    let known = repository::of_purpose(tx, actor.organization_id, purpose, currency).await?;
    if let Some(account) = known {
        return Ok(account.id);
    }
    let (name, kind) = match purpose {
        Purpose::Reimbursements => ("Reimbursements", Kind::Expense),
        Purpose::PayoutsInFlight => ("Payouts in flight", Kind::Liability),
        Purpose::PayoutAccount => ("Payout account", Kind::Asset),
    };
    let input = AccountInput {
        name: name.to_owned(),
        kind,
        currency: Some(currency.to_owned()),
        // What comes out of the account in flight has gone into it before.
        may_go_below_zero: purpose != Purpose::PayoutsInFlight,
        closed: false,
    };
    let row = account::ActiveModel {
        purpose: Set(Some(purpose.as_str().to_owned())),
        ..Account::columns(actor, input)?
    };
    match resource::insert::<Account>(tx, actor, tx.new_id(), row).await {
        Err(Error::Duplicate { .. }) => Err(Error::lost_race("another has just made it")),
        made => Ok(made?.id),
    }
}

/// What an account stands at.
pub async fn balance(store: &Store, actor: &Actor, id: Uuid) -> Result<AccountBalance> {
    let organization_id = actor.organization_id;
    let found = store.snapshot(async move |tx| {
        let account = versioned::get::<account::Entity>(tx, organization_id, id).await?;
        let sums = repository::sums(tx, organization_id, [id]).await?;
        shown(account, sums.get(&id))
    });
    found.await
}

/// What the accounts stand at, by name: all of a page at one moment.
pub async fn balances(
    store: &Store,
    actor: &Actor,
    page: &PageQuery,
) -> Result<Page<AccountBalance>> {
    let organization_id = actor.organization_id;
    let page = page.clone();
    let found = store.snapshot(async move |tx| {
        let accounts = resource::list_rows::<Account>(tx, organization_id, &page).await?;
        let ids = accounts.items.iter().map(|account| account.id);
        let sums = repository::sums(tx, organization_id, ids.collect::<Vec<_>>()).await?;
        accounts.try_map(|account| {
            let own = sums.get(&account.id);
            shown(account, own)
        })
    });
    found.await
}

fn shown(account: account::Model, sums: Option<&account_balance::Model>) -> Result<AccountBalance> {
    let kind: Kind = stored::word(account::Column::Kind, account.id, &account.kind)?;
    let (debits_minor, credits_minor) =
        sums.map_or((0, 0), |sums| (sums.debits_minor, sums.credits_minor));
    Ok(AccountBalance {
        account_id: account.id,
        name: account.name,
        kind,
        currency: account.currency,
        debits_minor,
        credits_minor,
        balance_minor: kind.balance(debits_minor, credits_minor),
    })
}
