# tests/terraform runs it, and reads the state that it prints.

mock_provider "aws" {
  source = "../tests/mocks"
}

run "applied" {
  command = apply
}
