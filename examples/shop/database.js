import process from 'node:process'
import postgres from 'postgres'

/** The database that the service's link to `db` tells of. */
export const sql = postgres(process.env.DATABASE_URL, { max: 5, onnotice: () => undefined })
