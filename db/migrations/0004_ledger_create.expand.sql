-- The book: accounts, balances by two growing totals, and a chain of balanced entries.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists ledger;

create table if not exists ledger.account (
    id          uuid primary key,
    is_test     boolean not null,
    owner_id    uuid not null,
    purpose     text not null
                constraint purpose_is_a_word check (purpose ~ '^[a-z][a-z0-9_:]{0,63}$'),
    currency    text not null
                constraint currency_is_a_code check (currency ~ '^[A-Z][A-Z0-9]{1,11}$'),
    exponent    smallint not null constraint exponent_in_bounds check (exponent between 0 and 18),
    normal_side text not null constraint known_side check (normal_side in ('debit', 'credit')),
    metadata    jsonb not null default '{}',
    created_at  timestamptz not null,
    unique (is_test, owner_id, purpose, currency)
);
create index if not exists account_by_owner on ledger.account (owner_id, is_test, created_at, id);

-- What moves, apart from what describes: narrow rows with room to be rewritten in place.
create table if not exists ledger.balance (
    account_id            uuid primary key references ledger.account (id),
    sign                  smallint not null constraint sign_is_a_side check (sign in (-1, 1)),
    floor_minor           bigint,
    status                text not null default 'open'
                          constraint known_status check (status in ('open', 'frozen', 'closed')),
    debits_minor          bigint not null default 0,
    credits_minor         bigint not null default 0,
    pending_debits_minor  bigint not null default 0,
    pending_credits_minor bigint not null default 0,
    version               bigint not null default 0,
    last_seq              bigint,
    constraint totals_are_sums check (
        debits_minor >= 0 and credits_minor >= 0
        and pending_debits_minor >= 0 and pending_credits_minor >= 0),
    constraint never_below_its_floor check (
        floor_minor is null
        or sign * (debits_minor - credits_minor)
           - case sign when 1 then pending_credits_minor else pending_debits_minor end
           >= floor_minor)
) with (fillfactor = 60);

-- The head of the chain. Whoever posts holds its row, so entries are numbered in commit order.
create table if not exists ledger.chain (
    only_one    boolean primary key default true constraint there_is_one check (only_one),
    seq         bigint not null,
    hash        bytea not null constraint is_sha256 check (length(hash) = 32),
    recorded_at timestamptz not null
);
insert into ledger.chain (seq, hash, recorded_at)
values (0, sha256('Guilder'), '-infinity')
on conflict do nothing;

-- A place in the chain is a month and a number without gaps in it: 202611 000000000001. One key
-- orders the book, names the partition, and is unique across all of them.
create table if not exists ledger.entry (
    seq             bigint primary key,
    id              uuid not null,
    is_test         boolean not null,
    source_system   text not null,
    source_event_id text not null,
    reason          text not null,
    corrects_id     uuid,
    effective_at    timestamptz not null,
    recorded_at     timestamptz not null,
    metadata        jsonb,
    hash            bytea not null constraint is_sha256 check (length(hash) = 32)
) partition by range (seq);
create index if not exists entry_by_id on ledger.entry (id);

create table if not exists ledger.posting (
    seq           bigint not null,
    line          smallint not null,
    account_id    uuid not null,
    is_debit      boolean not null,
    amount_minor  bigint not null constraint amounts_are_positive check (amount_minor > 0),
    currency      text not null,
    debits_after  bigint not null,
    credits_after bigint not null,
    prior_seq     bigint,
    primary key (seq, line)
) partition by range (seq);

-- PostgreSQL wants the partition key in every unique index, so what must be unique over all
-- months stands in a table without partitions.
create table if not exists ledger.source (
    source_system   text not null,
    source_event_id text not null,
    seq             bigint not null,
    primary key (source_system, source_event_id)
);

-- Every hundred and twenty-eighth change of an account leaves a milestone: a walk along its
-- postings, each of which names the one before, is never longer than that.
create table if not exists ledger.milestone (
    account_id  uuid not null,
    version     bigint not null,
    seq         bigint not null,
    recorded_at timestamptz not null,
    primary key (account_id, version)
);
create index if not exists milestone_by_time on ledger.milestone (account_id, recorded_at);

create or replace function ledger.make_partitions(month date) returns void language plpgsql as $$
declare
    low    bigint := to_char(month, 'YYYYMM')::bigint * 1000000000000;
    high   bigint := to_char(month + interval '1 month', 'YYYYMM')::bigint * 1000000000000;
    parent text;
    child  text;
begin
    foreach parent in array array['entry', 'posting'] loop
        child := parent || '_' || to_char(month, 'YYYYMM');
        if to_regclass('ledger.' || child) is null then
            execute format(
                'create table ledger.%I partition of ledger.%I for values from (%s) to (%s)',
                child, parent, low, high);
            execute format(
                'create trigger never_truncated before truncate on ledger.%I '
                'for each statement execute function plumbing.refuse_change()', child);
        end if;
    end loop;
end
$$;

create or replace function ledger.refuse_unbalanced() returns trigger language plpgsql as $$
declare
    wrong bigint;
begin
    select seq into wrong
      from inserted
     group by seq, currency
    having sum(case when is_debit then amount_minor else -amount_minor end) <> 0
     limit 1;
    if found then
        raise exception 'entry % does not balance', wrong
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end
$$;

create or replace trigger entries_balance
    after insert on ledger.posting
    referencing new table as inserted
    for each statement execute function ledger.refuse_unbalanced();

create or replace trigger entry_is_append_only
    before update or delete on ledger.entry
    for each row execute function plumbing.refuse_change();
create or replace trigger posting_is_append_only
    before update or delete on ledger.posting
    for each row execute function plumbing.refuse_change();
create or replace trigger entry_is_never_truncated
    before truncate on ledger.entry
    for each statement execute function plumbing.refuse_change();
create or replace trigger posting_is_never_truncated
    before truncate on ledger.posting
    for each statement execute function plumbing.refuse_change();
create or replace trigger source_is_append_only
    before update or delete on ledger.source
    for each row execute function plumbing.refuse_change();
create or replace trigger source_is_never_truncated
    before truncate on ledger.source
    for each statement execute function plumbing.refuse_change();
create or replace trigger account_stays_what_it_is
    before update of id, is_test, owner_id, purpose, currency, exponent, normal_side or delete
    on ledger.account
    for each row execute function plumbing.refuse_change();
create or replace trigger account_is_never_truncated
    before truncate on ledger.account
    for each statement execute function plumbing.refuse_change();
create or replace trigger balance_is_never_deleted
    before delete on ledger.balance
    for each row execute function plumbing.refuse_change();

create or replace function ledger.guard_balance() returns trigger language plpgsql as $$
begin
    if new.debits_minor < old.debits_minor or new.credits_minor < old.credits_minor
       or new.sign <> old.sign or new.version < old.version then
        raise exception 'the totals of account % may only grow', old.account_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger totals_only_grow
    before update of sign, debits_minor, credits_minor, version on ledger.balance
    for each row execute function ledger.guard_balance();

select ledger.make_partitions((date_trunc('month', now()) + make_interval(months => n))::date)
  from generate_series(0, 2) as n;
