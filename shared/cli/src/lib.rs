//! What every tool does alike: main, exit codes, input and output, the accounting line
