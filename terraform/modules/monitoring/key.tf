# A key of its own for the topic: EventBridge reaches an encrypted topic only under a key policy without conditions (SNS
# knows no aws:SourceAccount and aws:SourceArn there), and that must not open what the lake stores.

module "key" {
  source = "../key"

  name          = "${var.name}-alerts"
  description   = "The messages of the topic ${var.name}-alerts."
  account       = var.account
  deletion_days = 7 # it encrypts what is under way, and nothing that is kept
  statements = [
    {
      Sid       = "EventsReachTheTopic"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
    },
    {
      Sid       = "AlarmsReachTheTopic"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    },
  ]
}
