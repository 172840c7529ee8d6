//! Runs cases on every processor, and gives what came of them in their order.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cogwit_core::case::{Case, CaseFile, Checked};
use cogwit_core::policy::Caps;
use cogwit_core::run::Engine;
use cogwit_core::store::{Admission, Folders, PolicySet, read_cases};
use cogwit_core::text::one_line;

use super::find::Found;
use super::subject::Subjects;
use crate::failure::Failure;
use crate::store::Policies;

/// What came of a case.
pub(super) struct Done {
    /// The case's file.
    pub(super) file: PathBuf,
    /// The case's place in it, from 1; none: the file itself is broken.
    pub(super) place: Option<usize>,
    /// What it is called.
    pub(super) title: String,
    pub(super) outcome: Outcome,
    pub(super) elapsed: Duration,
}

pub(super) enum Outcome {
    Passed(Ran),
    Failed(Ran),
    CouldNotRun(String),
    /// Why it did not.
    NotRun(&'static str),
}

/// A case that ran.
pub(super) struct Ran {
    pub(super) set: Arc<PolicySet>,
    pub(super) event: Vec<u8>,
    pub(super) checked: Checked,
}

impl Done {
    /// The file and the case, as they are printed and matched.
    pub(super) fn name(&self) -> String {
        name(&self.file, &self.title)
    }

    /// The case's run, if it had one.
    pub(super) fn ran(&self) -> Option<&Ran> {
        match &self.outcome {
            Outcome::Passed(ran) | Outcome::Failed(ran) => Some(ran),
            Outcome::CouldNotRun(_) | Outcome::NotRun(_) => None,
        }
    }

    fn broke(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::CouldNotRun(_))
    }
}

fn name(file: &Path, title: &str) -> String {
    match title {
        "" => file.display().to_string(),
        title => format!("{}: {title}", file.display()),
    }
}

/// Something to do: a case, or a file that is broken.
struct Task {
    file: PathBuf,
    /// The folders whose files a case may name.
    folders: Option<Folders>,
    place: Option<usize>,
    title: String,
    case: Result<Case, String>,
}

/// What lasts from round to round.
pub(super) struct Runner {
    admission: Admission,
    caps: Caps,
    policies: Option<Policies>,
    fail_fast: bool,
    threads: usize,
    /// The sets of the last round, so that a component that did not change is not compiled again.
    kept: Vec<Arc<PolicySet>>,
    looked_at: BTreeSet<PathBuf>,
}

impl Runner {
    pub(super) fn new(caps: Caps, policies: Option<Policies>, fail_fast: bool) -> Result<Self, Failure> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let slots = u32::try_from(threads).unwrap_or(u32::MAX);
        let engine = Engine::new(slots, caps.limits.memory).map_err(Failure::could_not_run)?;
        let (kept, looked_at) = Default::default();
        Ok(Self { admission: Admission::new(engine), caps, policies, fail_fast, threads, kept, looked_at })
    }

    /// Every file beside the cases that the last round looked at.
    pub(super) fn looked_at(&self) -> Vec<PathBuf> {
        self.looked_at.iter().cloned().collect()
    }

    /// Runs the chosen cases of the files that were found; `tell` is called for each in its order, as soon as it and those
    /// before it are done.
    pub(super) fn run(
        &mut self,
        found: &Found,
        chosen: impl Fn(&str) -> bool,
        mut tell: impl FnMut(&Done) -> io::Result<()>,
    ) -> io::Result<Vec<Done>> {
        let mut named = BTreeSet::new();
        let broken = found.broken.iter().map(|(set, error)| Task::broken(set, error));
        let cases = found
            .files
            .iter()
            .flat_map(|(file, folders)| tasks(file, folders, &mut named))
            .filter(|it| it.is_chosen(&chosen));
        let tasks: Vec<_> = broken.chain(cases).collect();
        let subjects = Subjects::new(&self.admission, &self.caps, self.policies.as_ref());
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let mut done = Vec::new();
        thread::scope(|scope| {
            for _ in 0..self.threads.min(tasks.len()) {
                let (sender, next, stopped, subjects, tasks) = (sender.clone(), &next, &stopped, &subjects, &tasks);
                let fail_fast = self.fail_fast;
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(task) = tasks.get(at) else { break };
                        let is_over = stopped.load(Ordering::Relaxed);
                        let ran = if is_over { task.not_run() } else { task.run(subjects) };
                        if fail_fast && ran.broke() {
                            stopped.store(true, Ordering::Relaxed);
                        }
                        // Nobody listens where the results cannot be written.
                        let _ = sender.send((at, ran));
                    }
                });
            }
            drop(sender);
            let mut early = HashMap::new();
            for (at, ran) in receiver {
                early.insert(at, ran);
                while let Some(ran) = early.remove(&done.len()) {
                    tell(&ran)?;
                    done.push(ran);
                }
            }
            io::Result::Ok(())
        })?;
        self.kept = done.iter().filter_map(Done::ran).map(|ran| ran.set.clone()).collect();
        self.looked_at = subjects.files();
        self.looked_at.extend(named);
        Ok(done)
    }
}

/// The cases of a file, which may name files in these folders; those that they name are added to `named`.
fn tasks(file: &Path, folders: &Folders, named: &mut BTreeSet<PathBuf>) -> Vec<Task> {
    let CaseFile { cases, errors, files } = read_cases(file, folders);
    let beside = file.parent().unwrap_or(Path::new(""));
    named.extend(files.iter().map(|name| beside.join(name)));
    let whole = errors.len() + cases.len() == 1;
    let broken = errors.into_iter().map(|error| (None, String::new(), Err(error)));
    let cases = cases.into_iter().map(|(place, case)| {
        let title = if whole && case.name.is_none() { String::new() } else { case.title(place) };
        (Some(place), title, Ok(case))
    });
    let task =
        |(place, title, case)| Task { file: file.to_owned(), folders: Some(folders.clone()), place, title, case };
    broken.chain(cases).map(task).collect()
}

impl Task {
    fn broken(file: &Path, error: &str) -> Self {
        Self { file: file.to_owned(), folders: None, place: None, title: String::new(), case: Err(error.to_owned()) }
    }

    /// A broken file is told of whatever was chosen, since nobody knows what it holds.
    fn is_chosen(&self, chosen: impl Fn(&str) -> bool) -> bool {
        self.case.is_err() || chosen(&name(&self.file, &self.title))
    }

    fn run(&self, subjects: &Subjects<'_>) -> Done {
        let since = Instant::now();
        let ran = self.case.as_ref().map_err(Clone::clone).and_then(|case| {
            let set = subjects.set(&self.file, case).map_err(|error| self.without_others_files(case, error))?;
            Ok((case, set))
        });
        let outcome = match ran {
            Err(error) => Outcome::CouldNotRun(error),
            Ok((case, set)) => match case.check(&set) {
                None => Outcome::NotRun("the set has not the side that it is about"),
                Some(checked) => {
                    let outcome = if checked.mismatches.is_empty() { Outcome::Passed } else { Outcome::Failed };
                    outcome(Ran { set, event: case.event().to_owned(), checked })
                }
            },
        };
        self.done(outcome, since.elapsed())
    }

    /// The error of a set outside the folders would tell what its file holds.
    fn without_others_files(&self, case: &Case, error: String) -> String {
        let Some(set) = &case.set else { return error };
        let path = self.file.parent().unwrap_or(Path::new("")).join(set);
        match &self.folders {
            Some(folders) if folders.is_outside(&path) => {
                format!(
                    "the set `{}` cannot be loaded; as it is outside {folders}, `cogwit validate` says why",
                    one_line(set)
                )
            }
            _ => error,
        }
    }

    fn not_run(&self) -> Done {
        self.done(Outcome::NotRun("a case before it did not pass"), Duration::ZERO)
    }

    fn done(&self, outcome: Outcome, elapsed: Duration) -> Done {
        Done { file: self.file.clone(), place: self.place, title: self.title.clone(), outcome, elapsed }
    }
}
