-- API keys, and the tree of tenants they belong to.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists access;

-- A reseller, or a merchant below one or directly below the platform. One side of the wall each.
create table if not exists access.tenant (
    id          uuid primary key,
    is_test     boolean not null,
    kind        text not null constraint known_kind check (kind in ('reseller', 'merchant')),
    reseller_id uuid,
    admitted_at timestamptz not null,
    constraint wall_is_part_of_a_tenant unique (id, is_test),
    constraint same_side_as_its_reseller foreign key (reseller_id, is_test)
        references access.tenant (id, is_test),
    constraint only_merchants_have_a_reseller check (kind = 'merchant' or reseller_id is null)
);
create index if not exists tenant_reseller on access.tenant (reseller_id)
    where reseller_id is not null;

create or replace trigger tenant_is_append_only
    before update or delete on access.tenant
    for each row execute function plumbing.refuse_change();

-- The key itself is never here, only its SHA-256. Without a tenant it is a key of the platform.
create table if not exists access.api_key (
    id         uuid primary key,
    is_test    boolean not null,
    tenant_id  uuid,
    name       text not null,
    ending     text not null constraint four_letters check (length(ending) = 4),
    digest     bytea not null unique constraint is_sha256 check (length(digest) = 32),
    scopes     text[] not null constraint may_do_something check (cardinality(scopes) > 0),
    created_at timestamptz not null,
    created_by uuid,
    revoked_at timestamptz,
    revoked_by uuid,
    constraint same_side_as_its_tenant foreign key (tenant_id, is_test)
        references access.tenant (id, is_test)
);
create index if not exists api_key_tenant on access.api_key (tenant_id, id);

create or replace trigger api_key_stays_what_it_is
    before update of id, is_test, tenant_id, name, ending, digest, scopes, created_at, created_by
    or delete on access.api_key
    for each row execute function plumbing.refuse_change();

create or replace trigger revoked_for_good
    before update on access.api_key
    for each row when (old.revoked_at is not null) execute function plumbing.refuse_change();
