# The only file that reads the build: the pipelines' declarations, and under which keys the artefacts lie.

locals {
  artifacts = { for name, artifact in jsondecode(file("${var.package}/manifest.json")).artifacts : name => artifact }

  declarations = {
    for file in fileset("${var.package}/pipelines", "*.json") :
    trimsuffix(file, ".json") => jsondecode(file("${var.package}/pipelines/${file}"))
  }

  # What the modules need to know of a pipeline: where its files land and what its tables are called.
  pipelines = {
    for name, declared in local.declarations : name => {
      # Path -> days that the copies of its files are kept; only sources whose files are archived.
      archive_days = { for each in values(declared.bronze) : each.path => each.archive_days if can(each.archive_days) }
      persons      = anytrue([for source in declared.bronze : can(source.person)])
      orchestrator = try(declared.orchestrator, "glue_workflow")
      streams      = [for each in declared.bronze : each.path if try(each.stream, false)]
      sources      = { for source, each in declared.bronze : source => each.path }
      silver       = sort(keys(declared.silver))
      expected     = { for table, each in declared.gold : table => each.expect if can(each.expect) }
      gold         = { for table, each in declared.gold : table => { description = each.description, columns = each.columns[*].name } }
    }
  }

  own_jars = [
    for name, artifact in local.artifacts : artifact.key if startswith(name, "delta-") && endswith(name, ".jar")
  ]
}
