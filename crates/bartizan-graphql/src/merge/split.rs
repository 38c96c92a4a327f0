use super::Verdict;
use super::prefix::Prefix;
use super::share::Shares;
use crate::{Answer, GraphqlError, RawJson};

pub(super) fn query(members: &[usize], answer: &Answer) -> Vec<(usize, Verdict)> {
    let shares = Shares::of(members, answer);
    let owner = shares.only_one_with_errors();
    let all_assigned = !shares.strange && shares.of_nobody.is_empty();
    shares.settle(|member, data, errors| {
        if !all_assigned || errors.iter().any(|error| speaks_of(error, Prefix(member))) {
            return Verdict::Again;
        }
        match data {
            Some(data) => Verdict::Own(own(answer, Some(data), errors)),
            None if owner == Some(member) => Verdict::Own(own(answer, answer.data.clone(), errors)),
            None => Verdict::Again,
        }
    })
}

pub(super) fn mutation(members: &[usize], answer: &Answer) -> Vec<(usize, Verdict)> {
    let shares = Shares::of(members, answer);
    let owner = shares.only_one_with_errors();
    // Without the member `data` nothing was carried out (GraphQL October 2021, 7.1.1), and no field can have failed.
    let carried_out = answer.data.is_some() || shares.any_errors();
    let (of_nobody, strange) = (shares.of_nobody.clone(), shares.strange);
    shares.settle(|member, data, mut errors| {
        if !carried_out {
            return Verdict::Again;
        }
        match data {
            _ if strange => {}
            Some(data) => {
                errors.extend(of_nobody.iter().cloned());
                return Verdict::Own(own(answer, Some(data), errors));
            }
            None if owner == Some(member) && of_nobody.is_empty() => {
                return Verdict::Own(own(answer, answer.data.clone(), errors));
            }
            None => {}
        }
        errors.extend(of_nobody.iter().cloned());
        Verdict::Lost(errors)
    })
}

fn own(answer: &Answer, data: Option<RawJson>, errors: Vec<GraphqlError>) -> Answer {
    Answer { data, errors, extensions: answer.extensions.clone() }
}

/// Whether an error has a name in it that the operation does not have alone. The path has been mended already.
fn speaks_of(error: &GraphqlError, prefix: Prefix) -> bool {
    prefix.is_in(error.message())
        || serde_json::to_string(error.extensions()).is_ok_and(|extensions| prefix.is_in(&extensions))
}
