-- Resellers, merchants and stores, and the moves a merchant's status may make.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists merchants;

create table if not exists merchants.reseller (
    id         uuid primary key,
    is_test    boolean not null,
    name       text not null constraint reseller_has_a_name check (length(name) between 1 and 200),
    country    text not null constraint country_is_iso_3166 check (country ~ '^[A-Z]{2}$'),
    metadata   jsonb not null,
    created_at timestamptz not null,
    constraint wall_is_part_of_a_reseller unique (id, is_test)
);

create table if not exists merchants.merchant (
    id               uuid primary key,
    is_test          boolean not null,
    reseller_id      uuid,
    name             text not null
                     constraint merchant_has_a_name check (length(name) between 1 and 200),
    country          text not null constraint country_is_iso_3166 check (country ~ '^[A-Z]{2}$'),
    default_currency text not null
                     constraint currency_is_iso_4217 check (default_currency ~ '^[A-Z]{3}$'),
    metadata         jsonb not null,
    status           text not null
                     constraint known_status check (status in ('active', 'suspended')),
    created_at       timestamptz not null,
    constraint wall_is_part_of_a_merchant unique (id, is_test),
    constraint same_side_as_its_reseller foreign key (reseller_id, is_test)
        references merchants.reseller (id, is_test)
);
create index if not exists merchant_reseller on merchants.merchant (reseller_id, id)
    where reseller_id is not null;

create table if not exists merchants.store (
    id          uuid primary key,
    is_test     boolean not null,
    merchant_id uuid not null,
    name        text not null constraint store_has_a_name check (length(name) between 1 and 200),
    country     text not null constraint country_is_iso_3166 check (country ~ '^[A-Z]{2}$'),
    metadata    jsonb not null,
    created_at  timestamptz not null,
    constraint same_side_as_its_merchant foreign key (merchant_id, is_test)
        references merchants.merchant (id, is_test)
);
create index if not exists store_merchant on merchants.store (merchant_id, id);

-- The same table of moves as merchants/states.py has; a test compares the two.
create table if not exists merchants.merchant_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into merchants.merchant_move (before, after)
values ('active', 'suspended'), ('suspended', 'active')
on conflict do nothing;

create or replace function merchants.refuse_other_moves() returns trigger language plpgsql as $$
begin
    if not exists (select from merchants.merchant_move
                    where before = old.status and after = new.status) then
        raise exception 'a merchant that is % cannot become %', old.status, new.status
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

create or replace trigger merchant_moves_as_it_may
    before update of status on merchants.merchant
    for each row execute function merchants.refuse_other_moves();

create or replace function merchants.refuse_late_start() returns trigger language plpgsql as $$
begin
    if new.status <> 'active' then
        raise exception 'a merchant begins active, not %', new.status
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

create or replace trigger merchant_begins_active
    before insert on merchants.merchant
    for each row execute function merchants.refuse_late_start();

create or replace trigger reseller_stays_on_its_side
    before update of id, is_test, created_at or delete on merchants.reseller
    for each row execute function plumbing.refuse_change();
create or replace trigger merchant_stays_on_its_side
    before update of id, is_test, reseller_id, created_at or delete on merchants.merchant
    for each row execute function plumbing.refuse_change();
create or replace trigger store_stays_on_its_side
    before update of id, is_test, merchant_id, created_at or delete on merchants.store
    for each row execute function plumbing.refuse_change();

create table if not exists merchants.merchant_history (
    merchant_id uuid not null references merchants.merchant (id),
    position    integer not null constraint counted_from_one check (position > 0),
    before      text,
    after       text not null,
    reason      text,
    by_key_id   uuid,
    happened_at timestamptz not null,
    primary key (merchant_id, position)
);

create or replace trigger merchant_history_is_append_only
    before update or delete on merchants.merchant_history
    for each row execute function plumbing.refuse_change();
