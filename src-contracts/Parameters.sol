// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Params} from "src-contracts/types/Params.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";

/// @notice Starting values and hard bounds of every number that governance may turn, and the constants that it may not.
library Parameters {
    /// @notice Thrown when a parameter is outside its bounds. `name` is the field's name.
    error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 least, uint256 most);

    uint256 internal constant BPS = 10_000;

    /* CONSTANTS */

    uint32 internal constant MAX_SHARDS = type(uint24).max;
    uint32 internal constant MAX_EXEC = 24 hours;
    uint32 internal constant MAX_WINDOW = 24 hours;
    uint32 internal constant MAX_OPEN = 30 days;
    /// Runtime ids 1 … 31: wasm 1, wgsl 2, onnx 3, render 4, video 5, train 6, container 7.
    uint8 internal constant MAX_RUNTIME = 31;
    uint256 internal constant MAX_ENDPOINT_BYTES = 256;
    uint32 internal constant MAX_PAUSE = 3 days;
    /// A guardian must leave at least this long between two pauses, so that pausing never becomes a veto.
    uint32 internal constant PAUSE_COOLDOWN = 4 days;
    uint40 internal constant GUARDIAN_TERM = 365 days;
    /// Record of a newcomer, and how fast it moves (basis points).
    uint16 internal constant RECORD_START = 5_000;
    uint16 internal constant RECORD_MAX = 10_000;
    /// Work weighs fully in a record from this bond on (4 × a price of 1 DPU), and in proportion below: small jobs cannot farm a record.
    uint96 internal constant RECORD_FULL_BOND = 4e18;
    /// Part of the price that is paid for the finding that a job cannot be done as it is described.
    uint16 internal constant KILL_FEE_BPS = 5_000;

    /// No window of governance is ever longer.
    uint256 internal constant MAX_GOVERNANCE_WINDOW = 30 days;
    /// A window of governance can later be turned down to a quarter of what it was at deployment, and no further.
    uint256 internal constant GOVERNANCE_FLOOR_PART = 4;

    /* STARTING VALUES */

    uint96 internal constant MIN_STAKE = 1_000e18;
    /// Longer than the longest way of a bond: a panel's 3 · exec + reveal + window and two juries' 2 · exec + 5 · reveal, 6.5 days at the bounds.
    uint24 internal constant UNBONDING = 7 days;

    uint48 internal constant VOTING_DELAY = 1 days;
    uint32 internal constant VOTING_PERIOD = 5 days;
    uint48 internal constant LATE_QUORUM_EXTENSION = 1 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;
    /// 0.25 % of the supply.
    uint256 internal constant PROPOSAL_THRESHOLD = 2_500_000e18;
    uint256 internal constant QUORUM_PERCENT = 4;

    function initial() internal pure returns (Params memory) {
        return Params({
            feeBps: 300,
            bondTenths: 40,
            noShowBps: 2_000,
            burnBps: 5_000,
            retryBps: 4_000,
            auditRates: 0xaaa8, // 2 % for every runtime
            revealWindow: 10 minutes,
            auditWindow: 30 minutes,
            openFor: 60 seconds,
            drawStep: 30 seconds,
            drawOpenAfter: 30 minutes
        });
    }

    /* BOUNDS */

    function check(Params memory p) internal pure {
        _within("feeBps", p.feeBps, 0, 1_000);
        _within("bondTenths", p.bondTenths, 0, 1_000);
        _within("noShowBps", p.noShowBps, 100, BPS);
        _within("burnBps", p.burnBps, 1_000, BPS);
        // A node that lapses and takes its own lease over must still lose: retry money is at most what is not burnt.
        _within("retryBps", p.retryBps, 0, BPS - p.burnBps);
        // Whoever posts, works and audits all by itself must lose: what the protocol pays for audits is at most its fee.
        for (uint256 runtime; runtime < 8; ++runtime) {
            _within("auditRates", RulesLib.pack(p, 0).auditBps(runtime), 0, p.feeBps);
        }
        _within("revealWindow", p.revealWindow, 5 seconds, 2 hours);
        _within("auditWindow", p.auditWindow, 5 seconds, 12 hours);
        _within("openFor", p.openFor, 0, 1 days);
        _within("drawStep", p.drawStep, 1 seconds, 1 hours);
        _within("drawOpenAfter", p.drawOpenAfter, 1 seconds, 6 hours);
    }

    function checkMinStake(uint256 value) internal pure {
        // Kept in whole DPU, so that it shares the slot that every claim reads.
        _within("minStake", value, 1e18, 1_000_000e18);
        require(value % 1e18 == 0, ParameterOutOfBounds("minStake", value, 1e18, 1_000_000e18));
    }

    /// @dev The lower bound is above the longest liability at all bounds; see `UNBONDING`.
    function checkUnbonding(uint256 value) internal pure {
        _within("unbonding", value, 7 days, 60 days);
    }

    /// @dev `atDeployment` is the window's first value, 0 while that is being set.
    function checkGovernanceWindow(bytes32 name, uint256 value, uint256 atDeployment) internal pure {
        uint256 floor = atDeployment / GOVERNANCE_FLOOR_PART;
        _within(name, value, floor == 0 ? 1 seconds : floor, MAX_GOVERNANCE_WINDOW);
    }

    function checkProposalThreshold(uint256 value) internal pure {
        _within("proposalThreshold", value, 100_000e18, 10_000_000e18);
    }

    function checkQuorum(uint256 percent) internal pure {
        _within("quorumPercent", percent, 1, 20);
    }

    function _within(bytes32 name, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, ParameterOutOfBounds(name, value, least, most));
    }
}
