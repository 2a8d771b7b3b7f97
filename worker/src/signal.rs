//! Waking those who wait for a change.

use futures_channel::oneshot::{self, Receiver, Sender};
use std::cell::RefCell;

/// A change that may come again and again.
#[derive(Default)]
pub struct Signal(RefCell<Vec<Sender<()>>>);

impl Signal {
    /// Done at the next [`Self::tell`]; ask before looking at what may have changed.
    pub fn next(&self) -> Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.0.borrow_mut();
        waiting.retain(|sender| !sender.is_canceled());
        waiting.push(sender);
        receiver
    }

    /// Wakes everyone.
    pub fn tell(&self) {
        for sender in self.0.take() {
            let _ = sender.send(());
        }
    }
}
