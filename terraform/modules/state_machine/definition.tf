# The states of a run, in the order in which they follow each other.

locals {
  # A job waits for its turn when somebody else has it run: the task's time-out is above the job's own.
  queue_minutes = 30

  layers = ["bronze", "silver", "gold"]
  steps = concat(
    [for layer in local.layers : { step = layer, state = title(layer), layer = layer, arguments = {} }],
    # Only what has gone all the way is copied.
    [for step in var.archived ? ["archive"] : [] : { step = step, state = title(step), layer = "bronze", arguments = { "--mode" = step } }],
  )

  glue_retries = [
    {
      # Glue is busy, or has a job of ours run already.
      ErrorEquals = [
        "Glue.ConcurrentRunsExceededException",
        "Glue.InternalServiceException",
        "Glue.OperationTimeoutException",
        "Glue.ResourceNumberLimitExceededException",
        "Glue.ThrottlingException",
      ]
      IntervalSeconds = var.retry_seconds
      MaxAttempts     = 6
      BackoffRate     = 2.5
      MaxDelaySeconds = 600
      JitterStrategy  = "FULL"
    },
    {
      # The run has ended without success, so a second one has nothing beside it. After a time-out there is none: what
      # was to be stopped might still run.
      ErrorEquals     = ["States.TaskFailed"]
      IntervalSeconds = var.retry_seconds
      MaxAttempts     = 1
      BackoffRate     = 2.5
      JitterStrategy  = "FULL"
    },
  ]
  call_retries = [{
    ErrorEquals     = ["States.TaskFailed", "States.Timeout"]
    IntervalSeconds = 1
    MaxAttempts     = 3
    BackoffRate     = 2.5
    MaxDelaySeconds = 60
    JitterStrategy  = "FULL"
  }]

  call = {
    Type           = "Task"
    Resource       = "arn:${var.account.partition}:states:::lambda:invoke"
    TimeoutSeconds = 330 # above the functions' own
    Retry          = local.call_retries
  }
  publish = {
    Type           = "Task"
    Resource       = "arn:${var.account.partition}:states:::sns:publish"
    TimeoutSeconds = 60
    Retry          = local.call_retries
  }
  call_starter = { for step in ["begin", "end"] : step => merge(local.call, {
    Parameters = {
      FunctionName = var.starter.arn
      Payload      = { step = step, "run.$" = "$$.Execution.Name" }
    }
    ResultPath = null
  }) }

  # Where a step leads that failed for good: to the state that says which one it was.
  caught = { for state in concat(local.steps[*].state, ["Begin", "TellOfSuccess", "LookAgain"]) : state => [{
    ErrorEquals = ["States.ALL"]
    ResultPath  = "$.failure"
    Next        = "${state}Failed"
  }] }

  begin = { Begin = merge(local.call_starter["begin"], {
    Comment = "Notes what has landed so far: what lands from now on is looked for again at the end."
    Catch   = local.caught["Begin"]
    Next    = "Bronze"
  }) }

  jobs = { for place, each in local.steps : each.state => {
    Type     = "Task"
    Resource = "arn:${var.account.partition}:states:::glue:startJobRun.sync"
    Parameters = merge(
      { JobName = var.jobs[each.layer].name },
      { for name, value in { Arguments = each.arguments } : name => value if length(value) > 0 },
    )
    TimeoutSeconds = (var.jobs[each.layer].timeout_minutes + local.queue_minutes) * 60
    ResultSelector = { "seconds.$" = "$.ExecutionTime" }
    ResultPath     = "$.${each.step}"
    Retry          = local.glue_retries
    Catch          = local.caught[each.state]
    Next           = try(local.steps[place + 1].state, "TellOfSuccess")
  } }

  success = {
    TellOfSuccess = merge(local.publish, {
      Parameters = {
        TopicArn = var.topics.runs
        Subject  = "${var.pipeline}: a run has succeeded"
        "Message.$" = join("", [
          "States.Format('The run {} of ${var.pipeline} has succeeded. Seconds of its jobs: ",
          join(", ", [for each in local.steps : "${each.step} {}"]),
          ".', $$.Execution.Name, ",
          join(", ", [for each in local.steps : "$.${each.step}.seconds"]),
          ")",
        ])
      }
      ResultPath = null
      Catch      = local.caught["TellOfSuccess"]
      Next       = "LookAgain"
    })
    LookAgain = merge(local.call_starter["end"], {
      Comment = "Starts the next run if files have landed since this one looked."
      Catch   = local.caught["LookAgain"]
      Next    = "Succeeded"
    })
    Succeeded = { Type = "Succeed" }
  }

  named_failures = merge(
    { for each in local.steps : "${each.state}Failed" => { step = each.step, layer = each.layer } },
    {
      BeginFailed         = { step = "begin", layer = "bronze" }
      TellOfSuccessFailed = { step = "message of success", layer = "gold" }
      LookAgainFailed     = { step = "look for more files", layer = "bronze" }
    },
  )
  failures = { for state, failed in local.named_failures : state => {
    Type       = "Pass"
    Result     = failed
    ResultPath = "$.failed"
    Next       = "RecordFailure"
  } }

  failure = {
    RecordFailure = merge(local.call, {
      Comment = "Writes the record of the run, and says in words what has happened."
      Parameters = {
        FunctionName = var.recorder.arn
        Payload = {
          pipeline       = var.pipeline
          "execution.$"  = "$$.Execution.Name"
          "started_at.$" = "$$.Execution.StartTime"
          "step.$"       = "$.failed.step"
          "layer.$"      = "$.failed.layer"
          "error.$"      = "$.failure.Error"
          "cause.$"      = "$.failure.Cause"
        }
      }
      ResultSelector = { "message.$" = "$.Payload.message" }
      ResultPath     = "$.told"
      Catch          = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.recording", Next = "ExplainBriefly" }]
      Next           = "TellOfFailure"
    })
    # The function that explains can't: what has failed is told nevertheless.
    ExplainBriefly = {
      Type = "Pass"
      Parameters = {
        "message.$" = "States.Format('The run {} of ${var.pipeline} failed in its step {}: {}. It has no run record, for the function ${var.recorder.name} failed too: {}', $$.Execution.Name, $.failed.step, $.failure.Error, $.recording.Cause)"
      }
      ResultPath = "$.told"
      Next       = "TellOfFailure"
    }
    TellOfFailure = merge(local.publish, {
      Parameters = {
        TopicArn    = var.topics.alerts
        Subject     = "${var.pipeline}: a run has failed"
        "Message.$" = "$.told.message"
      }
      ResultPath = null
      Catch      = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.telling", Next = "LookAgainAfterUntoldFailure" }]
      Next       = "LookAgainAfterFailure"
    })
    LookAgainAfterFailure = merge(local.call_starter["end"], {
      Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.ending", Next = "FailedUntold" }]
      Next  = "Failed"
    })
    LookAgainAfterUntoldFailure = merge(local.call_starter["end"], {
      Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.ending", Next = "FailedUntold" }]
      Next  = "FailedUntold"
    })
    Failed = {
      Type  = "Fail"
      Error = local.told
      Cause = "A step has failed; the message to the topic of alerts and the run record say which, why and what to do."
    }
    # The rule of runs that ended without a word tells of these.
    FailedUntold = {
      Type  = "Fail"
      Error = "${local.told}Untold"
      Cause = "A step has failed, and so have the message to the topic of alerts or the look for more files. The history of this execution says why."
    }
  }
  told = "RunFailed"

  definition = jsonencode({
    Comment = "Takes all files of ${var.pipeline} that have landed through bronze, silver and gold, then archives them."
    StartAt = "Begin"
    States  = merge(local.begin, local.jobs, local.success, local.failures, local.failure)
  })
}
