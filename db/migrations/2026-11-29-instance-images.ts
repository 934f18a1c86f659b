import { sql, type Kysely } from 'kysely'

/** Which images an instance runs, by digest. Of those that were built before, the engine's ids were recorded. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table instance_images (
  instance_id uuid not null references instances,
  service text not null,
  reference text not null,
  repository_digest text check (repository_digest ~ '^sha256:[0-9a-f]{64}$'),
  image_id text not null,
  resolved_at timestamptz not null default now(),
  primary key (instance_id, service)
);

insert into instance_images (instance_id, service, reference, image_id, resolved_at)
select instance.id, service->>'name', image.name, image.external_id, image.made_at
from instances instance
  join application_versions version on version.id = instance.application_version_id
  cross join jsonb_array_elements(version.definition->'services') as service
  join resources image on image.instance_id = instance.id and image.kind = 'image' and image.removed_at is null
    and image.name = service->'image'->>'reference'
on conflict do nothing;
`,
    )
    .execute(db)
}
