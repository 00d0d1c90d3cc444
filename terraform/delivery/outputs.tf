output "boundaries" {
  description = "Environment -> ARN of the policy that bounds its roles."
  value       = { for environment, delivery in module.environment : environment => delivery.boundary_arn }
}

output "roles" {
  description = "Environment -> what its roles are for -> their ARNs."
  value       = { for environment, delivery in module.environment : environment => delivery.role_arns }
}

output "settings" {
  description = "What the workflows read: variables of the repository on GitHub. None is a secret."
  value = merge(
    { AWS_REGION = var.region },
    [for environment, delivery in module.environment : merge(
      { "${upper(environment)}_BOUNDARY_ARN" = delivery.boundary_arn },
      { for purpose, arn in delivery.role_arns : "${upper(environment)}_${upper(purpose)}_ROLE_ARN" => arn },
    )]...
  )
}
