//! One JSON document in, one out. `policy`, `input` and `state` are JSON texts inside strings: they reach the engine as
//! they are, and no number is read and written again on the way.
//!
//! | op | fields | answer |
//! |---|---|---|
//! | load | rego, policy | `{"loaded":true}` or `{"error"}` |
//! | begin | state | `{"begun":true}` or `{"error"}` |
//! | ask | endpoint, input | `{"allowed","ops","prints"}`, `{"refused","prints"}` or `{"limit"}` |
//! | commit | | `{"committed":true}` or `{"error"}` |
//! | state | | `{"state"}` or `{"error"}` |
//!
//! A document that is none of these, or one out of turn, is answered with `{"misuse"}`.

use crate::guest::{short, Answer, Decision, Policy, Rego, Session};
use serde::Deserialize;
use serde_json::{json, Value};

/// What a policy prints in a loop is not carried out of the engine.
const MAX_PRINTS: usize = 64;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    Load { rego: Rego, policy: String },
    Begin { state: String },
    Ask { endpoint: String, input: String },
    Commit,
    State,
}

/// The policy and the session that requests are about; each `load` and `begin` replaces what was there.
#[derive(Default)]
pub struct Desk {
    policy: Option<Policy>,
    session: Option<Session>,
}

impl Desk {
    pub fn answer(&mut self, request: &[u8]) -> String {
        let answer = match serde_json::from_slice(request) {
            Ok(request) => self.take(request),
            Err(error) => misuse(&error.to_string()),
        };
        answer.to_string()
    }

    fn take(&mut self, request: Request) -> Value {
        match (request, &self.policy, &mut self.session) {
            (Request::Load { rego, policy }, ..) => {
                *self = Desk::default();
                said(Policy::load(rego, policy), "loaded", |policy| {
                    self.policy = Some(policy)
                })
            }
            (Request::Begin { state }, Some(policy), _) => {
                let begun = policy.begin(&state);
                self.session = None;
                said(begun, "begun", |session| self.session = Some(session))
            }
            (Request::Ask { endpoint, input }, _, Some(session)) => {
                if !is_name(&endpoint) {
                    return misuse("the endpoint is no name of a rule");
                }
                answered(session.ask(&endpoint, &input))
            }
            (Request::Commit, _, Some(session)) => said(session.commit(), "committed", |()| ()),
            (Request::State, _, Some(session)) => match session.state() {
                Ok(state) => json!({ "state": state }),
                Err(error) => json!({ "error": error }),
            },
            _ => misuse("nothing was loaded or begun"),
        }
    }
}

fn said<T>(result: Result<T, String>, word: &str, keep: impl FnOnce(T)) -> Value {
    match result {
        Ok(value) => {
            keep(value);
            json!({ word: true })
        }
        Err(error) => json!({ "error": error }),
    }
}

fn answered(Answer { decision, prints }: Answer) -> Value {
    let prints = shortened(&prints);
    match decision {
        Decision::Allowed(ops) => json!({ "allowed": true, "ops": ops, "prints": prints }),
        Decision::Denied => json!({ "allowed": false, "ops": [], "prints": prints }),
        Decision::Refused(reason) => json!({ "refused": reason, "prints": prints }),
        Decision::Limit(reason) => json!({ "limit": reason }),
    }
}

fn shortened(prints: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = prints.iter().take(MAX_PRINTS).map(|p| short(p)).collect();
    if prints.len() > MAX_PRINTS {
        kept.push(format!("... ({} more)", prints.len() - MAX_PRINTS));
    }
    kept
}

/// The name goes into a query: it is one name, and no more of a query.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn misuse(what: &str) -> Value {
    json!({ "misuse": what })
}
