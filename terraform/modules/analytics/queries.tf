# Queries to begin with: one for each table that a declaration names, so a new pipeline brings its own, one for runs, and
# examples of what gold answers.

locals {
  gold_queries = merge([for pipeline in var.pipelines : {
    for table, declared in pipeline.gold : table => {
      description = declared.description
      database    = var.databases["gold"]
      sql         = <<-SQL
        SELECT ${join(",\n       ", declared.columns)}
        FROM ${table}
        LIMIT 100
      SQL
    }
  }]...)

  rejected_queries = merge([for pipeline in var.pipelines : {
    for table in pipeline.silver : "${table}_rejected" => {
      description = "Open rejects of ${table}, by the check that they failed when last tried. Needs rights on silver."
      database    = var.databases["silver"]
      sql         = <<-SQL
        WITH tried AS (
          SELECT _record_id, max_by(status, attempt) AS status, max_by(_rules, attempt) AS rules
          FROM ${table}_quarantine_events
          GROUP BY _record_id
        )
        SELECT rule, count(*) AS records, max(rejects._batch) AS newest_batch
        FROM ${table}_quarantine AS rejects
        LEFT JOIN tried ON tried._record_id = rejects._record_id
        CROSS JOIN UNNEST(coalesce(tried.rules, rejects._rules)) AS failed (rule)
        WHERE tried.status IS NULL OR tried.status <> 'readmitted'
        GROUP BY rule
        ORDER BY records DESC
      SQL
    }
  }]...)

  file_queries = { for pipeline in keys(var.pipelines) : "${pipeline}_files" => {
    description = "What became of the files of ${pipeline}, newest first. Needs rights on bronze."
    database    = var.databases["bronze"]
    sql         = <<-SQL
      SELECT batch, key, outcome, reason, records, size, found_at
      FROM ${pipeline}_files
      ORDER BY batch DESC, key
      LIMIT 100
    SQL
  } }

  run_queries = { last_runs = {
    description = "The last runs of all layers, newest first. Needs rights on bronze."
    database    = var.databases["bronze"]
    sql         = <<-SQL
      SELECT started_at, pipeline, layer, outcome, seconds, rows_in, rows_out, rows_rejected, rows_waiting, late_files, error
      FROM runs
      ORDER BY started_at DESC
      LIMIT 100
    SQL
  } }

  example_queries = { for name, sql in var.examples : name => {
    description = trimprefix(split("\n", sql)[0], "-- ")
    database    = var.databases["gold"]
    sql         = sql
  } }
}

resource "aws_athena_named_query" "this" {
  for_each = merge(local.gold_queries, local.rejected_queries, local.file_queries, local.run_queries, local.example_queries)

  name        = each.key
  description = each.value.description
  workgroup   = aws_athena_workgroup.this.name
  database    = each.value.database
  query       = each.value.sql
}
