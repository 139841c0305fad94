// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Deployed, Plan, Windows} from "./Plan.sol";
import {DpuGovernor} from "src-contracts/DpuGovernor.sol";
import {DpuTimelock} from "src-contracts/DpuTimelock.sol";
import {Market} from "src-contracts/Market.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {CapabilityProofs} from "src-contracts/capability/CapabilityProofs.sol";
import {ComputeCredits} from "src-contracts/credits/ComputeCredits.sol";
import {CreditParameters} from "src-contracts/credits/CreditParameters.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Rules} from "src-contracts/types/Rules.sol";

/// @notice What must hold before and after a deployment.
abstract contract DeployChecks {
    /// @notice Thrown when the plan or the deployed contracts are not what they must be. `what` names the first check that failed.
    error CheckFailed(string what);

    /// @dev Who deploys must be nobody afterwards, on every network that is worth something.
    function _checkPlan(Plan memory plan) internal pure {
        require(plan.holder != address(0), CheckFailed("holder is zero"));
        require(plan.guardian != address(0) && plan.guardian != plan.deployer, CheckFailed("guardian is the deployer"));
        require(plan.treasury != plan.deployer, CheckFailed("treasury is the deployer"));
        require(plan.playMoney || plan.holder != plan.deployer, CheckFailed("holder is the deployer"));
    }

    function _check(Plan memory plan, Deployed memory d) internal view {
        _checkMarket(plan, d);
        _checkCredits(plan, d);
        _checkProofs(plan, d);
        _checkTimelock(plan, d);
        _checkGovernor(plan, d);
        require(d.token.balanceOf(plan.holder) == d.token.INITIAL_SUPPLY(), CheckFailed("supply"));
    }

    function _checkMarket(Plan memory plan, Deployed memory d) private view {
        Market m = d.market;
        IMarket market = IMarket(address(m));
        require(m.TOKEN() == address(d.token), CheckFailed("token of the Market"));
        require(m.EXTENSION() == address(d.extension), CheckFailed("extension of the Market"));
        require(d.extension.TOKEN() == address(d.token), CheckFailed("token of the extension"));
        require(m.COURT() == address(d.court), CheckFailed("court of the Market"));
        require(m.EXITS() == address(d.exits), CheckFailed("exits of the Market"));
        require(m.PANELS() == address(d.panels), CheckFailed("panels of the Market"));
        require(d.panels.TOKEN() == address(d.token), CheckFailed("token of the panels"));
        require(d.panels.owner() == address(0xdead), CheckFailed("owner of the panels"));
        require(d.court.TOKEN() == address(d.token), CheckFailed("token of the court"));
        require(d.court.owner() == address(0xdead), CheckFailed("owner of the court"));
        require(d.exits.TOKEN() == address(d.token), CheckFailed("token of the exits"));
        require(d.exits.owner() == address(0xdead), CheckFailed("owner of the exits"));
        require(m.owner() == address(d.timelock), CheckFailed("owner of the Market"));
        require(m.pendingOwner() == address(0), CheckFailed("next owner of the Market"));
        require(d.extension.owner() == address(0xdead), CheckFailed("owner of the extension"));
        require(market.treasury() == plan.treasury, CheckFailed("treasury"));
        (address guardian, uint40 until) = market.guardian();
        require(guardian == plan.guardian && until > block.timestamp, CheckFailed("guardian"));
        (Rules rules,, uint96 minStake, uint32 unbonding,) = market.config();
        require(rules.version() == 1, CheckFailed("parameters"));
        require(minStake == Parameters.MIN_STAKE && unbonding == Parameters.UNBONDING, CheckFailed("stake rules"));
    }

    function _checkCredits(Plan memory plan, Deployed memory d) private view {
        ComputeCredits c = d.credits;
        require(c.MARKET() == address(d.market), CheckFailed("Market of the credits"));
        require(IMarket(address(d.market)).credits() == address(c), CheckFailed("credits of the Market"));
        require(c.TOKEN() == address(d.token), CheckFailed("token of the credits"));
        require(c.owner() == address(d.timelock), CheckFailed("owner of the credits"));
        require(c.pendingOwner() == address(0), CheckFailed("next owner of the credits"));
        require(c.totalSupply() == 0, CheckFailed("supply of the credits"));
        require(c.FIRST_EPOCH_LENGTH() == plan.epochLength, CheckFailed("epochs of the credits"));
        (,,, uint64 offer) = c.settings();
        require(offer == CreditParameters.OFFER, CheckFailed("offer of the credits"));
        require(c.rateOf(address(d.token)) == CreditParameters.DPU_RATE, CheckFailed("rate of the credits"));
    }

    function _checkProofs(Plan memory plan, Deployed memory d) private view {
        CapabilityProofs p = d.proofs;
        require(address(p.MARKET()) == address(d.market), CheckFailed("Market of the proofs"));
        require(IMarket(address(d.market)).prover() == address(p), CheckFailed("prover of the Market"));
        require(p.TOKEN() == address(d.token), CheckFailed("token of the proofs"));
        require(p.owner() == address(d.timelock), CheckFailed("owner of the proofs"));
        require(p.pendingOwner() == address(0), CheckFailed("next owner of the proofs"));
        for (uint256 i; i < plan.tiers.length; ++i) {
            require(p.benchmark(plan.tiers[i]).exec == plan.benchmarks[i].exec, CheckFailed("benchmarks"));
        }
    }

    function _checkTimelock(Plan memory plan, Deployed memory d) private view {
        DpuTimelock t = d.timelock;
        address governor = address(d.governor);
        require(t.getMinDelay() == plan.windows.timelock, CheckFailed("delay of the timelock"));
        require(t.FIRST_DELAY() == plan.windows.timelock, CheckFailed("floor of the timelock's delay"));
        require(t.hasRole(t.DEFAULT_ADMIN_ROLE(), address(t)), CheckFailed("admin of the timelock"));
        require(t.hasRole(t.PROPOSER_ROLE(), governor), CheckFailed("proposer of the timelock"));
        require(t.hasRole(t.CANCELLER_ROLE(), governor), CheckFailed("canceller of the timelock"));
        require(t.hasRole(t.EXECUTOR_ROLE(), address(0)), CheckFailed("executor of the timelock"));
        bytes32[4] memory roles = [t.DEFAULT_ADMIN_ROLE(), t.PROPOSER_ROLE(), t.CANCELLER_ROLE(), t.EXECUTOR_ROLE()];
        for (uint256 i; i < roles.length; ++i) {
            require(!t.hasRole(roles[i], plan.deployer), CheckFailed("the deployer has a role"));
            require(!t.hasRole(roles[i], plan.guardian), CheckFailed("the guardian has a role"));
        }
        require(!t.hasRole(t.DEFAULT_ADMIN_ROLE(), governor), CheckFailed("the governor is an admin"));
    }

    function _checkGovernor(Plan memory plan, Deployed memory d) private view {
        DpuGovernor g = d.governor;
        Windows memory w = plan.windows;
        require(address(g.token()) == address(d.token), CheckFailed("token of the governor"));
        require(g.timelock() == address(d.timelock), CheckFailed("timelock of the governor"));
        require(
            g.votingDelay() == w.votingDelay && g.votingPeriod() == w.votingPeriod
                && g.lateQuorumVoteExtension() == w.lateQuorum,
            CheckFailed("windows of the governor")
        );
        require(g.proposalThreshold() == Parameters.PROPOSAL_THRESHOLD, CheckFailed("threshold"));
        require(g.quorumNumerator() == Parameters.QUORUM_PERCENT, CheckFailed("quorum"));
        require(g.proposalGuardian() == plan.guardian, CheckFailed("guardian of the governor"));
    }
}
