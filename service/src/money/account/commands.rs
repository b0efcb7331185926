use entity::{account, account_balance};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Account, AccountBalance, AccountInput, Kind, Purpose, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        page::{Page, PageQuery},
        stored::{self, StoredWord},
        versioned,
        versioned::Expected,
    },
    text::fold,
};

versioned!(Account);

impl Resource for Account {
    const ENTITY: &'static str = "account";
    const READ: Permission = Permission::ReadLedger;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

impl Readable for Account {
    type Query = PageQuery;

    /// The account.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(store.read(), actor.organization_id, id).await?)
    }

    /// The accounts by name.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        page.try_map(Self::try_from)
    }
}

impl Changeable for Account {
    type Input = AccountInput;
    const WRITE: Permission = Permission::ManageAccounts;

    fn input(&self) -> AccountInput {
        AccountInput {
            name: self.name.clone(),
            kind: self.kind,
            currency: Some(self.currency.clone()),
            may_go_below_zero: self.may_go_below_zero,
            closed: self.closed,
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id, id).await?)
    }

    /// What the entries of an account mean does not change: its kind and its currency stay.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<AccountInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        let stays = |field: &str| Error::invalid(field, "immutable", "must not be changed");
        if input.kind != current.kind {
            return Err(stays("/kind"));
        }
        if input.currency.as_ref() != Some(&current.currency) {
            return Err(stays("/currency"));
        }
        let sums = repository::lock_sums(tx, actor.organization_id, id).await?;
        let balance = current.kind.balance(sums.debits_minor, sums.credits_minor);
        if !input.may_go_below_zero && balance < 0 {
            return Err(Error::state("below_zero", "the balance of the account is negative"));
        }
        versioned::update(tx, actor, change.verb(), &row, columns(input), Self::try_from).await
    }
}

impl Writable for Account {
    const IN_USE: &'static str = "journal entries refer to the account; close the account instead";

    async fn create(tx: &Tx, actor: &Actor, new: &Create<AccountInput>) -> Result<Self> {
        let id = log::new_id::<Self>(tx, actor.organization_id, new.id).await?;
        insert(tx, actor, id, new.input.clone(), None).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        // First of all, as postings do it: nobody waits for the other.
        repository::delete_sums(tx, actor.organization_id, id).await?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

async fn insert(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    input: AccountInput,
    purpose: Option<Purpose>,
) -> Result<Account> {
    let now = tx.now().fixed_offset();
    let currency = input.currency.clone().unwrap_or_else(|| actor.settings.currency.clone());
    let row = account::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(id),
        kind: Set(input.kind.as_str().to_owned()),
        currency: Set(currency),
        purpose: Set(purpose.map(|purpose| purpose.as_str().to_owned())),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(input)
    };
    let made = versioned::insert(tx, actor, row, Account::try_from).await?;
    repository::insert_sums(tx, actor.organization_id, id).await?;
    Ok(made)
}

/// The columns of what may change.
fn columns(input: AccountInput) -> account::ActiveModel {
    let AccountInput { name, kind: _, currency: _, may_go_below_zero, closed } = input;
    account::ActiveModel {
        name_key: Set(fold(&name)),
        name: Set(name),
        may_go_below_zero: Set(may_go_below_zero),
        closed: Set(closed),
        ..Default::default()
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
    match insert(tx, actor, tx.new_id(), input, Some(purpose)).await {
        Err(Error::Duplicate { .. }) => Err(Error::lost_race("another has just made it")),
        made => Ok(made?.id),
    }
}

/// What an account stands at.
pub async fn balance(store: &Store, actor: &Actor, id: Uuid) -> Result<AccountBalance> {
    let found = store.snapshot((actor.organization_id, id), |tx, (organization_id, id)| {
        Box::pin(async move {
            let account = repository::get(tx, *organization_id, *id).await?;
            let sums = repository::sums(tx, *organization_id, [*id]).await?;
            shown(account, sums.get(id))
        })
    });
    found.await
}

/// What the accounts stand at, by name: all of a page at one moment.
pub async fn balances(
    store: &Store,
    actor: &Actor,
    page: &PageQuery,
) -> Result<Page<AccountBalance>> {
    let found =
        store.snapshot((actor.organization_id, page.clone()), |tx, (organization_id, page)| {
            Box::pin(async move {
                let accounts = repository::list(tx, *organization_id, page).await?;
                let ids = accounts.items.iter().map(|account| account.id);
                let sums = repository::sums(tx, *organization_id, ids.collect::<Vec<_>>()).await?;
                accounts.try_map(|account| {
                    let own = sums.get(&account.id);
                    shown(account, own)
                })
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
