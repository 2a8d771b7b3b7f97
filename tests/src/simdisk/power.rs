//! When power, or one step, fails.

use std::io;

/// Counts steps and knows the one that fails.
#[derive(Debug, Default)]
pub(super) struct Power {
    steps: u64,
    failing: Option<u64>,
    faulty: Option<(u64, Fault)>,
    off: bool,
}

/// How far a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It happens.
    Whole,
    /// Power fails while it happens.
    InFlight,
    /// It alone fails.
    Fault(Fault),
}

/// What a step does that fails alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing. What a sync should have made durable is read back until power fails, but no later sync makes it
    /// durable, as on Linux.
    Undone,
    /// All that it should, and its caller hears of a failure.
    Done,
}

impl Power {
    pub(super) fn fail_at(&mut self, step: u64) {
        self.failing = Some(step);
    }

    pub(super) fn fault_at(&mut self, step: u64, fault: Fault) {
        self.faulty = Some((step, fault));
    }

    pub(super) fn turn_off(&mut self) {
        self.off = true;
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn is_on(&self) -> bool {
        !self.off
    }

    /// Fails when power is off.
    pub(super) fn require(&self) -> io::Result<()> {
        if self.off { Err(off()) } else { Ok(()) }
    }

    /// Takes the next step.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        self.require()?;
        self.steps += 1;
        if self.failing.is_some_and(|failing| self.steps >= failing) {
            self.off = true;
            return Ok(Step::InFlight);
        }
        Ok(match self.faulty {
            Some((step, fault)) if step == self.steps => Step::Fault(fault),
            _ => Step::Whole,
        })
    }
}

/// What every call gets when power is off.
pub(super) fn off() -> io::Error {
    io::Error::other("the power is off")
}

/// What the one faulty step gets.
pub(super) fn fault() -> io::Error {
    io::Error::other("an input/output error")
}
