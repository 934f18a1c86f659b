import { sql, type Kysely } from 'kysely'

/** What is not in use can be deleted from the catalog, and price lists are archived. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(removal).execute(db)
}

const removal = `
alter table price_lists add column archived_at timestamptz;

-- A version still never changes. It goes only with its product or kit, and not while a line was sold by it: foreign keys hold that.
drop trigger product_version_immutable on product_versions;
create trigger product_version_immutable before update on product_versions for each row execute function refuse_change();
drop trigger kit_version_immutable on kit_versions;
create trigger kit_version_immutable before update on kit_versions for each row execute function refuse_change();
`
