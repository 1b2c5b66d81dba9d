//! Console blocks of Markdown pages, run and compared.
//!
//! In a block that begins with ```` ```console ````, a line that starts with `$ ` is a command (continued on
//! the next line where it ends in a backslash), and the lines up to the next command are what it writes: its
//! stdout, then its stderr. A line `...` stands for any number of lines. A block that begins with ````
//! ```console,norun ```` is not run. All commands of a page run in one shell, from top to bottom, as a reader
//! would type them; each must succeed.

use std::fmt::Write;

use probeline_testkit::{Bash, workspace};

use crate::lines::{fit, reshape};
use crate::markdown::fences;

/// One command of a page and what it is to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The command; several lines where it was continued.
    pub command: String,
    /// The lines it writes.
    pub expected: Vec<&'a str>,
    /// Number of the first expected line in the page, from 0.
    pub at: usize,
}

/// The commands of a page, in order.
///
/// # Panics
/// When a block begins with a line that is no command.
pub fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for fence in fences(page).into_iter().filter(|fence| fence.info == "console") {
        let mut fresh = true;
        let mut lines = fence.lines.iter().enumerate();
        while let Some((i, line)) = lines.next() {
            let at = fence.at + i;
            if let Some(start) = line.strip_prefix("$ ") {
                let mut command = start.to_owned();
                let mut end = at;
                while command.ends_with('\\') {
                    let (j, next) =
                        lines.next().unwrap_or_else(|| panic!("line {}: ends in a backslash", end + 1));
                    end = fence.at + j;
                    command.push('\n');
                    command.push_str(next);
                }
                steps.push(Step { command, expected: Vec::new(), at: end + 1 });
                fresh = false;
            } else if fresh {
                panic!("line {}: a console block begins with a command, `$ `", at + 1);
            } else {
                steps.last_mut().expect("a command came before").expected.push(line);
            }
        }
    }
    steps
}

/// What became of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What is wrong, if anything.
    pub faults: Vec<String>,
    /// What could not be tried, for want of a program that is not the project's.
    pub skipped: Vec<String>,
    /// The page with what its commands really wrote.
    pub rewritten: String,
}

/// Runs a page's commands in the scratch directory of this shell.
///
/// # Panics
/// When the page is malformed or a tool does not compile.
pub fn run(page: &str, shell: impl FnOnce(&str) -> Bash) -> Outcome {
    let steps = steps(page);
    if steps.is_empty() {
        return Outcome { faults: Vec::new(), skipped: Vec::new(), rewritten: page.to_owned() };
    }
    let mut script = "__d=$(mktemp -d)\n".to_owned();
    for (i, step) in steps.iter().enumerate() {
        // Braces, not parentheses: what a command exports or where it goes holds for the next.
        write!(
            script,
            "{{ {}\n}} >\"$__d/{i}.out\" 2>\"$__d/{i}.err\"\necho $? >\"$__d/{i}.code\"\n",
            step.command
        )
        .unwrap();
    }
    script.push_str("echo \"$__d\"\n");
    let shell = shell(&script);
    let output = shell.run();
    let dir = std::path::PathBuf::from(output.code(0).out().trim_end());
    let read = |name: String| {
        let bytes = std::fs::read(dir.join(&name)).unwrap_or_else(|e| output.fail(&format!("{name}: {e}")));
        String::from_utf8_lossy(&bytes).into_owned()
    };

    let (mut faults, mut skipped) = (Vec::new(), Vec::new());
    let mut lines: Vec<&str> = page.lines().collect();
    let outputs: Vec<String> =
        (0..steps.len()).map(|i| read(format!("{i}.out")) + &read(format!("{i}.err"))).collect();
    for (i, step) in steps.iter().enumerate().rev() {
        let got: Vec<&str> = outputs[i].lines().collect();
        let code = read(format!("{i}.code"));
        if let Some(program) = missing_program(&outputs[i]) {
            skipped.push(format!("$ {}: {program} is not installed", step.command));
        } else if code.trim() != "0" {
            faults.push(format!("$ {}\nended with exit code {}:\n{}", step.command, code.trim(), outputs[i]));
        } else if !fit(&step.expected, &got) {
            faults.push(format!(
                "line {}: $ {}\nexpected:\n{}\ngot:\n{}\n",
                step.at + 1,
                step.command,
                step.expected.join("\n"),
                outputs[i]
            ));
            lines.splice(step.at..step.at + step.expected.len(), reshape(&step.expected, &got));
        }
    }
    drop(std::fs::remove_dir_all(&dir));
    faults.reverse();
    skipped.reverse();
    let mut rewritten = lines.join("\n");
    rewritten.push('\n');
    Outcome { faults, skipped, rewritten }
}

/// The program that bash did not find. Our own tools are always there; a missing one is a fault.
fn missing_program(output: &str) -> Option<&str> {
    let (before, _) = output.split_once(": command not found")?;
    let program = before.rsplit([' ', '\n']).next()?;
    (!workspace().join("tools").join(program).is_dir()).then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Title

```console
$ export WHO=world; mkdir sub; cd sub
$ echo hello \\
  $WHO
hello world
$ seq 5
1
...
5
```

```console,norun
$ exit 1
```

```console
$ echo err >&2; echo out
out
err
```
";

    fn run_here(page: &str) -> Outcome {
        run(page, Bash::new)
    }

    #[test]
    fn a_page_that_is_true() {
        assert_eq!(
            run_here(PAGE),
            Outcome { faults: Vec::new(), skipped: Vec::new(), rewritten: PAGE.to_owned() }
        );
    }

    #[test]
    fn a_page_that_lies_is_rewritten_in_its_own_shape() {
        let lie = PAGE.replace("hello world", "hello moon\nand stars").replace("1\n...\n5", "0\n...\n9");
        let outcome = run_here(&lie);
        assert_eq!(outcome.faults.len(), 2, "{:?}", outcome.faults);
        assert!(outcome.faults[0].contains("expected:\nhello moon\nand stars\ngot:\nhello world\n"));
        assert_eq!(outcome.rewritten, PAGE);
    }

    #[test]
    fn a_command_that_fails_is_a_fault_even_if_it_writes_what_was_expected() {
        let outcome = run_here("```console\n$ echo x; false\nx\n```\n");
        assert!(outcome.faults[0].contains("exit code 1"), "{:?}", outcome.faults);
    }

    #[test]
    fn a_program_that_is_not_here_is_no_fault() {
        let outcome = run_here("```console\n$ seq 3 | no-such-program\n1\n```\n");
        assert_eq!(outcome.skipped, ["$ seq 3 | no-such-program: no-such-program is not installed"]);
        assert_eq!(outcome.faults, Vec::<String>::new());
        assert_eq!(missing_program("bash: line 1: hist: command not found\n"), None);
    }

    #[test]
    fn a_page_without_commands() {
        assert_eq!(run_here("text\n").faults, Vec::<String>::new());
    }

    #[test]
    #[should_panic(expected = "begins with a command")]
    fn output_without_a_command() {
        steps("```console\nx\n```\n");
    }
}
