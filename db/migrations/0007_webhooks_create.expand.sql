-- Messages to merchants: their endpoints, what is sent to them, and every try.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists webhooks;

create table if not exists webhooks.endpoint (
    id                  uuid primary key,
    is_test             boolean not null,
    merchant_id         uuid not null,
    reseller_id         uuid,
    url                 text not null constraint url_length check (length(url) between 1 and 2048),
    topics              text[] not null
                        constraint topics_are_some check (cardinality(topics) between 1 and 100),
    description         text constraint description_length check (length(description) <= 500),
    state               text not null default 'enabled'
                        constraint known_state check (state in ('enabled', 'disabled', 'deleted')),
    reason              text,
    secret              text,
    former_secret       text,
    former_secret_until timestamptz,
    failing_since       timestamptz,
    created_at          timestamptz not null,
    moved_at            timestamptz not null,
    moved_by            text not null,
    version             integer not null default 1,
    constraint https_in_live_mode check (is_test or url like 'https://%'),
    constraint disabled_with_a_reason check ((state = 'disabled') = (reason is not null)),
    constraint a_deleted_one_keeps_no_secret check (
        (state = 'deleted') = (secret is null)
        and (state <> 'deleted' or former_secret is null)),
    constraint former_secret_ends check ((former_secret is null) = (former_secret_until is null))
);
create index if not exists endpoint_by_merchant on webhooks.endpoint (merchant_id, is_test, id);

create or replace trigger endpoint_stays_what_it_is
    before update of id, is_test, merchant_id, reseller_id, created_at or delete
    on webhooks.endpoint
    for each row execute function plumbing.refuse_change();

create table if not exists webhooks.message (
    event_id    uuid primary key,
    is_test     boolean not null,
    merchant_id uuid not null,
    topic       text not null,
    subject     text not null,
    sequence    bigint not null constraint sequences_count_up check (sequence > 0),
    happened_at timestamptz not null,
    body        bytea not null constraint body_size check (length(body) <= 20480),
    unique (subject, sequence)
);

create or replace trigger message_is_the_same_on_every_try
    before update or delete on webhooks.message
    for each row execute function plumbing.refuse_change();

create table if not exists webhooks.delivery (
    id            uuid primary key,
    endpoint_id   uuid not null references webhooks.endpoint (id),
    event_id      uuid not null references webhooks.message (event_id),
    is_test       boolean not null,
    merchant_id   uuid not null,
    reseller_id   uuid,
    state         text not null default 'pending'
                  constraint known_state check (state in ('pending', 'delivered', 'failed')),
    tries         integer not null default 0,
    tries_left    integer not null constraint tries_left_not_negative check (tries_left >= 0),
    next_try_at   timestamptz not null,
    claimed_until timestamptz,
    last_status   integer,
    trouble       text,
    created_at    timestamptz not null,
    moved_at      timestamptz not null,
    delivered_at  timestamptz,
    constraint each_event_once_per_endpoint unique (event_id, endpoint_id),
    constraint delivered_when_it_says_so
        check (state <> 'delivered' or (delivered_at is not null and tries > 0)),
    constraint pending_ones_have_tries_left check (state <> 'pending' or tries_left > 0),
    constraint failed_with_a_reason check (state <> 'failed' or trouble is not null)
);
create index if not exists delivery_waiting on webhooks.delivery (endpoint_id, next_try_at)
    where state = 'pending';
create index if not exists delivery_claimed on webhooks.delivery (endpoint_id)
    where claimed_until is not null;
create index if not exists delivery_by_merchant on webhooks.delivery (merchant_id, is_test, id);
create index if not exists delivery_by_endpoint on webhooks.delivery (endpoint_id, id);

create or replace trigger delivery_stays_what_it_is
    before update of id, endpoint_id, event_id, is_test, merchant_id, reseller_id, created_at
    or delete on webhooks.delivery
    for each row execute function plumbing.refuse_change();

create table if not exists webhooks.delivery_try (
    delivery_id uuid not null references webhooks.delivery (id),
    number      integer not null constraint tries_count_up check (number > 0),
    tried_at    timestamptz not null,
    duration_ms integer not null constraint time_goes_forward check (duration_ms >= 0),
    status      integer,
    trouble     text constraint trouble_is_short check (length(trouble) <= 200),
    primary key (delivery_id, number)
);

create or replace trigger delivery_try_is_append_only
    before update or delete on webhooks.delivery_try
    for each row execute function plumbing.refuse_change();

create table if not exists webhooks.endpoint_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into webhooks.endpoint_move (before, after)
values ('enabled', 'disabled'),
       ('enabled', 'deleted'),
       ('disabled', 'enabled'),
       ('disabled', 'deleted')
on conflict do nothing;

create table if not exists webhooks.delivery_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into webhooks.delivery_move (before, after)
values ('pending', 'delivered'),
       ('pending', 'failed'),
       ('failed', 'pending'),
       ('delivered', 'pending')
on conflict do nothing;

-- Skips along the index from endpoint to endpoint, so that a long queue behind one costs nothing.
create or replace function webhooks.list_waiting_endpoints() returns setof uuid
language sql stable as $$
    with recursive waiting as (
        (select endpoint_id
           from webhooks.delivery
          where state = 'pending'
          order by endpoint_id
          limit 1)
        union all
        select (select next.endpoint_id
                  from webhooks.delivery as next
                 where next.state = 'pending'
                   and next.endpoint_id > waiting.endpoint_id
                 order by next.endpoint_id
                 limit 1)
          from waiting
         where waiting.endpoint_id is not null)
    select endpoint_id from waiting where endpoint_id is not null
$$;

create or replace function webhooks.refuse_illegal_endpoint_move() returns trigger
language plpgsql as $$
begin
    if not exists (
        select from webhooks.endpoint_move where before = old.state and after = new.state
    ) then
        raise exception 'a % endpoint cannot become %', old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger endpoint_moves_along_its_table
    before update of state on webhooks.endpoint
    for each row when (old.state is distinct from new.state)
    execute function webhooks.refuse_illegal_endpoint_move();

create or replace function webhooks.refuse_illegal_delivery_move() returns trigger
language plpgsql as $$
begin
    if not exists (
        select from webhooks.delivery_move where before = old.state and after = new.state
    ) then
        raise exception 'a % delivery cannot become %', old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger delivery_moves_along_its_table
    before update of state on webhooks.delivery
    for each row when (old.state is distinct from new.state)
    execute function webhooks.refuse_illegal_delivery_move();

create table if not exists webhooks.endpoint_history (
    position    bigint generated always as identity primary key,
    endpoint_id uuid not null references webhooks.endpoint (id),
    version     integer not null,
    before      text not null,
    after       text not null,
    moved_at    timestamptz not null,
    moved_by    text not null,
    because     text
);
create index if not exists endpoint_history_of on webhooks.endpoint_history (endpoint_id, position);

create table if not exists webhooks.delivery_history (
    position    bigint generated always as identity primary key,
    delivery_id uuid not null references webhooks.delivery (id),
    before      text not null,
    after       text not null,
    moved_at    timestamptz not null,
    because     text
);
create index if not exists delivery_history_of on webhooks.delivery_history (delivery_id, position);

create or replace trigger endpoint_history_is_append_only
    before update or delete on webhooks.endpoint_history
    for each row execute function plumbing.refuse_change();
create or replace trigger delivery_history_is_append_only
    before update or delete on webhooks.delivery_history
    for each row execute function plumbing.refuse_change();

create or replace function webhooks.note_endpoint_changes() returns trigger language plpgsql as $$
begin
    insert into webhooks.endpoint_history
           (endpoint_id, version, before, after, moved_at, moved_by, because)
    select new_row.id, new_row.version, old_row.state, new_row.state, new_row.moved_at,
           new_row.moved_by,
           case when old_row.state <> new_row.state then new_row.reason else 'secret rotated' end
      from old_rows as old_row
      join new_rows as new_row using (id)
     where old_row.version <> new_row.version;
    return null;
end
$$;
create or replace trigger endpoint_changes_are_noted
    after update on webhooks.endpoint
    referencing old table as old_rows new table as new_rows
    for each statement execute function webhooks.note_endpoint_changes();

create or replace function webhooks.note_delivery_moves() returns trigger language plpgsql as $$
begin
    insert into webhooks.delivery_history (delivery_id, before, after, moved_at, because)
    select new_row.id, old_row.state, new_row.state, new_row.moved_at,
           case new_row.state when 'delivered' then null else new_row.trouble end
      from old_rows as old_row
      join new_rows as new_row using (id)
     where old_row.state <> new_row.state;
    return null;
end
$$;
create or replace trigger delivery_moves_are_noted
    after update on webhooks.delivery
    referencing old table as old_rows new table as new_rows
    for each statement execute function webhooks.note_delivery_moves();
