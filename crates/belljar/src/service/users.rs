//! Accounts and groups.

use std::io::{self, Read as _};

use belljar_policy::Policy;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant};
use super::limit::Only;
use super::message::Refusal;
use super::start::Builder;

/// The service behind [`Users`].
#[derive(Debug)]
pub enum Accounts {}

/// Looks up accounts and groups: those of `/etc/passwd` and `/etc/group`, as they were when the service started. Its limit is the
/// names of accounts and groups that there are; what lies beyond it does not exist, by name or by number.
///
/// Its process reads both files before it seals itself off, and opens nothing after that.
///
/// ```no_run
/// use belljar::service::{Only, Users};
///
/// let mut users = Users::start(Only::All)?;
/// let name = users.account_of(1000)?.name;
/// let mut one = users.narrowed(&Only::these([name]))?;
/// # Ok::<(), belljar::service::ServiceError>(())
/// ```
pub type Users = Client<Accounts>;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Number of its group.
    pub gid: u32,
    /// Its owner's name, and what else stands beside it.
    pub remark: String,
    /// Its home folder.
    pub home: String,
    /// Its shell.
    pub shell: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: u32,
    /// Accounts that are in it beside those whose group it is, as far as the limit goes.
    pub members: Vec<String>,
}

impl Users {
    /// Starts the service.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(limit: Only) -> Result<Self, ServiceError> {
        Self::builder(limit).start()
    }

    /// How it is started.
    pub fn builder(limit: Only) -> Builder<Accounts> {
        Builder::new(limit, ())
    }

    /// The account of this name.
    ///
    /// # Errors
    /// [`ServiceError::Beyond`], [`ServiceError::Absent`], and those of every call.
    pub fn account(&mut self, name: &str) -> Result<Account, ServiceError> {
        self.one_account(Ask::Account(name.to_owned()))
    }

    /// The account of this number.
    ///
    /// # Errors
    /// [`ServiceError::Absent`], also where it lies beyond the limit, and those of every call.
    pub fn account_of(&mut self, uid: u32) -> Result<Account, ServiceError> {
        self.one_account(Ask::AccountOf(uid))
    }

    /// The group of this name.
    ///
    /// # Errors
    /// As [`Users::account`].
    pub fn group(&mut self, name: &str) -> Result<Group, ServiceError> {
        self.one_group(Ask::Group(name.to_owned()))
    }

    /// The group of this number.
    ///
    /// # Errors
    /// As [`Users::account_of`].
    pub fn group_of(&mut self, gid: u32) -> Result<Group, ServiceError> {
        self.one_group(Ask::GroupOf(gid))
    }

    fn one_account(&mut self, ask: Ask) -> Result<Account, ServiceError> {
        match self.ask(ask)? {
            Told::Account(account) => Ok(account),
            Told::Group(_) => Err(self.not_due()),
        }
    }

    fn one_group(&mut self, ask: Ask) -> Result<Group, ServiceError> {
        match self.ask(ask)? {
            Told::Group(group) => Ok(group),
            Told::Account(_) => Err(self.not_due()),
        }
    }
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// By name.
    Account(String),
    /// By number.
    AccountOf(u32),
    /// By name.
    Group(String),
    /// By number.
    GroupOf(u32),
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Told {
    /// An account.
    Account(Account),
    /// A group.
    Group(Group),
}

/// What was read.
#[derive(Debug)]
pub struct Tables {
    accounts: Vec<Account>,
    groups: Vec<Group>,
}

/// Longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;
const ACCOUNTS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

impl Kind for Accounts {
    const NAME: &'static str = "users";
    const CALLS: &'static [Call] = &[];
    type Limit = Only;
    type Ask = Ask;
    type Told = Told;
    type Means = ();
    type Config = ();
    type State = Tables;

    fn grant(_: &Only, (): ()) -> Result<Grant<()>, ServiceError> {
        let policy = Policy::none().read_noexec(ACCOUNTS).and_then(|policy| policy.read_noexec(GROUPS));
        policy.map(|policy| Grant::new(policy, ())).map_err(ServiceError::means(Self::NAME))
    }

    fn ready((): ()) -> io::Result<Tables> {
        Ok(Tables {
            accounts: text(ACCOUNTS)?.lines().filter_map(account).collect(),
            groups: text(GROUPS)?.lines().filter_map(group).collect(),
        })
    }

    fn answer(tables: &Tables, limit: &Only, ask: Ask) -> Result<Told, Refusal> {
        let account = |is: &dyn Fn(&Account) -> bool| {
            let found = tables.accounts.iter().find(|one| is(one) && limit.has(one.name.as_str()));
            found.cloned().map(Told::Account).ok_or(Refusal::Absent)
        };
        let group = |is: &dyn Fn(&Group) -> bool| {
            let found = tables.groups.iter().find(|one| is(one) && limit.has(one.name.as_str()));
            found.map(|group| Told::Group(within(group, limit))).ok_or(Refusal::Absent)
        };
        match ask {
            Ask::Account(name) | Ask::Group(name) if !limit.has(name.as_str()) => Err(Refusal::Beyond),
            Ask::Account(name) => account(&|one| one.name == name),
            Ask::AccountOf(uid) => account(&|one| one.uid == uid),
            Ask::Group(name) => group(&|one| one.name == name),
            Ask::GroupOf(gid) => group(&|one| one.gid == gid),
        }
    }
}

fn within(group: &Group, limit: &Only) -> Group {
    let mut group = group.clone();
    group.members.retain(|member| limit.has(member.as_str()));
    group
}

fn text(path: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let mut next = || fields.next().map(str::to_owned);
    let (name, _secret) = (next()?, next()?);
    let (uid, gid) = (next()?.parse().ok()?, next()?.parse().ok()?);
    Some(Account { name, uid, gid, remark: next()?, home: next()?, shell: next()? })
}

fn group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let (name, _secret, gid) = (fields.next()?.to_owned(), fields.next()?, fields.next()?.parse().ok()?);
    let members = fields.next()?.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    Some(Group { name, gid, members })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(limit: &Only, ask: Ask) -> Result<Told, Refusal> {
        let tables = Tables {
            accounts: ["root:x:0:0:root:/root:/bin/sh", "me:x:7:8::/home/me:/bin/zsh"]
                .iter()
                .filter_map(|line| account(line))
                .collect(),
            groups: ["us:x:8:me,root", "them:x:9:"].iter().filter_map(|line| group(line)).collect(),
        };
        Accounts::answer(&tables, limit, ask)
    }

    #[test]
    fn what_lies_beyond_the_limit_does_not_exist_by_number() {
        let limit = Only::these(["me", "us"]);
        let refused = [
            (Ask::Account("root".into()), Refusal::Beyond),
            (Ask::Account("nobody".into()), Refusal::Beyond),
            (Ask::AccountOf(0), Refusal::Absent),
            (Ask::GroupOf(9), Refusal::Absent),
        ];
        for (question, refusal) in refused {
            assert_eq!(ask(&limit, question).unwrap_err(), refusal);
        }
        assert!(matches!(ask(&limit, Ask::AccountOf(7)), Ok(Told::Account(one)) if one.shell == "/bin/zsh"));
        assert!(matches!(ask(&limit, Ask::GroupOf(8)), Ok(Told::Group(one)) if one.members == ["me"]));
    }

    #[test]
    fn lines_that_are_no_entries_are_left_out() {
        for line in ["", "#", "a:b", "a:x:y:0:::", "a:x:0:0", "+::::::", "a:x:-1:0:::"] {
            assert_eq!(account(line), None, "{line}");
        }
        assert_eq!(group("a:x:x:"), None);
    }
}
