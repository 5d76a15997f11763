-- The book: accounts with two growing totals, balanced entries, postings. Append-only.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists ledger;

create table if not exists ledger.account (
    id            uuid primary key,
    is_test       boolean not null,
    owner_id      uuid not null,
    purpose       text not null constraint purpose_is_a_word check (purpose ~ '^[a-z][a-z0-9_:]{0,63}$'),
    currency      text not null constraint currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$'),
    normal_side   text not null constraint known_side check (normal_side in ('debit', 'credit')),
    has_floor     boolean not null,
    debits_minor  bigint not null default 0 constraint debits_grow check (debits_minor >= 0),
    credits_minor bigint not null default 0 constraint credits_grow check (credits_minor >= 0),
    created_at    timestamptz not null,
    unique (is_test, owner_id, purpose, currency),
    constraint never_below_zero check (
        not has_floor
        or case normal_side
               when 'debit' then debits_minor >= credits_minor
               else credits_minor >= debits_minor
           end)
);

create table if not exists ledger.entry (
    id              uuid primary key,
    is_test         boolean not null,
    source_system   text not null,
    source_event_id text not null,
    reason          text not null,
    corrects_id     uuid references ledger.entry (id),
    effective_at    timestamptz not null,
    recorded_at     timestamptz not null default now(),
    unique (source_system, source_event_id)
);

create table if not exists ledger.posting (
    entry_id     uuid not null references ledger.entry (id),
    account_id   uuid not null references ledger.account (id),
    side         text not null constraint known_side check (side in ('debit', 'credit')),
    amount_minor bigint not null constraint amounts_are_positive check (amount_minor > 0),
    currency     text not null,
    primary key (entry_id, account_id, side)
);
create index if not exists posting_by_account on ledger.posting (account_id, entry_id);

create or replace function ledger.refuse_unbalanced() returns trigger language plpgsql as $$
declare
    wrong uuid;
begin
    select entry_id into wrong
      from inserted
     group by entry_id, currency
    having sum(case side when 'debit' then amount_minor else -amount_minor end) <> 0
     limit 1;
    if found then
        raise exception 'entry % does not balance', wrong
            using errcode = 'integrity_constraint_violation';
    end if;
    select inserted.entry_id into wrong
      from inserted
      join ledger.account on account.id = inserted.account_id
      join ledger.entry on entry.id = inserted.entry_id
     where account.currency <> inserted.currency
        or account.is_test <> entry.is_test
     limit 1;
    if found then
        raise exception 'entry % crosses currencies or the wall between test and live', wrong
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
create or replace trigger entry_is_never_truncated
    before truncate on ledger.entry
    for each statement execute function plumbing.refuse_change();
create or replace trigger posting_is_append_only
    before update or delete on ledger.posting
    for each row execute function plumbing.refuse_change();
create or replace trigger posting_is_never_truncated
    before truncate on ledger.posting
    for each statement execute function plumbing.refuse_change();
create or replace trigger account_stays_what_it_is
    before update of id, is_test, owner_id, purpose, currency, normal_side or delete
    on ledger.account
    for each row execute function plumbing.refuse_change();
create or replace trigger account_is_never_truncated
    before truncate on ledger.account
    for each statement execute function plumbing.refuse_change();

create or replace function ledger.refuse_shrinking() returns trigger language plpgsql as $$
begin
    if new.debits_minor < old.debits_minor or new.credits_minor < old.credits_minor then
        raise exception 'the totals of account % may only grow', old.id
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger totals_only_grow
    before update of debits_minor, credits_minor on ledger.account
    for each row execute function ledger.refuse_shrinking();
