-- The outbox, the inbox and the idempotency keys.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists plumbing;

create or replace function plumbing.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'integrity_constraint_violation';
end
$$;

create table if not exists plumbing.outbox (
    position     bigint generated always as identity primary key,
    id           uuid not null unique,
    topic        text not null,
    version      integer not null,
    subject      text not null,
    merchant_id  uuid not null,
    is_test      boolean not null,
    happened_at  timestamptz not null,
    payload      jsonb not null,
    state        text not null default 'new'
                 constraint known_state check (state in ('new', 'published', 'failed')),
    tries        integer not null default 0,
    trouble      text,
    next_try_at  timestamptz not null default '-infinity',
    published_at timestamptz,
    constraint published_when_it_says_so check ((state = 'published') = (published_at is not null))
);
create index if not exists outbox_waiting on plumbing.outbox (position) where state = 'new';
create index if not exists outbox_subject on plumbing.outbox (subject, position);

create or replace trigger outbox_tells_one_story
    before update of id, topic, version, subject, merchant_id, is_test, happened_at, payload
    or delete on plumbing.outbox
    for each row execute function plumbing.refuse_change();

create or replace trigger outbox_is_never_truncated
    before truncate on plumbing.outbox
    for each statement execute function plumbing.refuse_change();

create table if not exists plumbing.inbox (
    consumer   text not null,
    message_id uuid not null,
    done_at    timestamptz not null default now(),
    primary key (consumer, message_id)
);

create table if not exists plumbing.idempotency_key (
    tenant_id   uuid not null,
    is_test     boolean not null,
    key         text not null constraint key_length check (length(key) between 1 and 255),
    fingerprint bytea not null constraint is_sha256 check (length(fingerprint) = 32),
    subject_id  uuid,
    status      integer,
    body        bytea,
    reserved_at timestamptz not null,
    expires_at  timestamptz not null,
    primary key (tenant_id, is_test, key),
    constraint answered_whole check ((status is null) = (body is null))
);
create index if not exists idempotency_key_subject on plumbing.idempotency_key (subject_id)
    where subject_id is not null;
create index if not exists idempotency_key_expiry on plumbing.idempotency_key (expires_at);
