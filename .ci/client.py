"""Uses the client that openapi-python-client generates. `.ci/run clients` checks its types; nothing runs it."""

import datetime
from uuid import UUID

from steward_client import AuthenticatedClient
from steward_client.api.expenses import create_expense, list_expenses, update_expense
from steward_client.api.sync import sync_changes
from steward_client.models import (
    Expense,
    ExpensePage,
    ExpenseUpdate,
    NewExpense,
    Problem,
    SyncChangeResultApplied,
    SyncChangeResultConflict,
    SyncRequest,
    SyncResult,
)


def spend(client: AuthenticatedClient, organization: UUID) -> Expense:
    new = NewExpense(amount_minor=1250, spent_on=datetime.date(2026, 11, 16), merchant="Subway")
    made = create_expense.sync(organization, client=client, body=new, idempotency_key="once")
    if isinstance(made, Problem):
        raise RuntimeError(made.code)
    assert made is not None
    return made


def annotate(client: AuthenticatedClient, organization: UUID, expense: Expense) -> int:
    change = ExpenseUpdate(version=expense.version, note="Lunch")
    changed = update_expense.sync(organization, expense.id, client=client, body=change)
    if isinstance(changed, Problem) and isinstance(changed.current, Expense):
        return changed.current.version
    return changed.version if isinstance(changed, Expense) else 0


def total(client: AuthenticatedClient, organization: UUID) -> int:
    page = list_expenses.sync(organization, client=client, limit=500)
    return sum(it.amount_minor for it in page.items) if isinstance(page, ExpensePage) else 0


def conflicts(client: AuthenticatedClient, organization: UUID, changes: SyncRequest) -> list[int]:
    answer = sync_changes.sync(organization, client=client, body=changes)
    assert isinstance(answer, SyncResult)
    applied = [it for it in answer.results if isinstance(it, SyncChangeResultApplied)]
    stale = [it for it in answer.results if isinstance(it, SyncChangeResultConflict)]
    return [it.version for it in applied] + [it.current_version for it in stale]
