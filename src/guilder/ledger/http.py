"""The ledger desk: it shows the book; only contexts post to it so far."""

from guilder.edge.endpoint import Call, Reply, get
from guilder.edge.paging import ListQuery, ListView, listed
from guilder.kernel.ids import AccountId, MalformedId
from guilder.ledger import queries
from guilder.ledger.errors import AccountNotFound
from guilder.ledger.wire import AccountView, TrialBalanceView
from guilder.plumbing.db import Database


class LedgerDesk:
    """Shows accounts and the trial balance."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @get(
        "/v1/ledger/accounts",
        scope="ledger:read",
        gives={200: ListView[AccountView]},
        query=ListQuery,
        refuses=(MalformedId,),
        summary="List accounts, newest first",
    )
    async def list_accounts(self, call: Call, query: ListQuery) -> Reply:
        page = query.page(AccountId)
        async with self._db.reading() as tx:
            found = await queries.list_accounts(tx, call.caller.scope, page)
        views = [AccountView.of(account) for account in found.rows]
        return Reply.of(200, listed("/v1/ledger/accounts", views, has_more=found.has_more))

    @get(
        "/v1/ledger/accounts/{account_id}",
        scope="ledger:read",
        gives={200: AccountView},
        refuses=(MalformedId, AccountNotFound),
        summary="Show an account",
    )
    async def show_account(self, call: Call) -> Reply:
        account_id = AccountId.parse(call.path["account_id"], param="account_id")
        async with self._db.reading() as tx:
            account = await queries.find_account(tx, call.caller.scope, account_id)
        if account is None:
            raise AccountNotFound(f"there is no account {account_id}")
        return Reply.of(200, AccountView.of(account))

    @get(
        "/v1/ledger/trial-balance",
        scope="ledger:read",
        gives={200: TrialBalanceView},
        summary="Show all debits and credits of each currency",
    )
    async def show_trial_balance(self, call: Call) -> Reply:
        async with self._db.reading() as tx:
            lines = await queries.trial_balance(tx, call.caller.scope)
        return Reply.of(200, TrialBalanceView.of(lines))
