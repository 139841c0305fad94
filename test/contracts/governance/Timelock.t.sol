// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {GovernanceTest} from "test/contracts/governance/GovernanceTest.sol";
import {IDpuTimelock} from "test/contracts/governance/IDpuGovernance.sol";

/// @dev There is one way to the Market's parameters: propose, vote, queue, wait, execute.
contract TimelockTest is GovernanceTest {
    function _lacks(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    /// @dev Everybody with a name, the governor and the contract that set everything up included.
    function _everybody() private view returns (address[] memory all) {
        all = new address[](10);
        (all[0], all[1], all[2], all[3], all[4]) = (address(this), address(gov), warden, guard, treasury);
        (all[5], all[6], all[7], all[8], all[9]) = (sue.owner, lena, tom, governor, stranger);
    }

    function test_RevertWhen_Bypass_ToTheMarket() external {
        address[] memory all = _everybody();
        for (uint256 i; i < all.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, all[i]));
            vm.prank(all[i]);
            market.addParams(_params());
        }
    }

    function test_RevertWhen_Bypass_ByAnOperationOfOnesOwn() external {
        Motion memory m = _lowerFee();
        bytes32 proposer = timelock.PROPOSER_ROLE();
        bytes32 operation = _operation(m);
        address[] memory all = _everybody();
        for (uint256 i; i < all.length; ++i) {
            if (all[i] == address(gov)) continue;
            vm.expectRevert(_lacks(all[i], proposer));
            vm.prank(all[i]);
            timelock.scheduleBatch(m.targets, m.values, m.calls, 0, 0, LOCK);
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                IDpuTimelock.TimelockUnexpectedOperationState.selector, operation, bytes32(uint256(1 << 2))
            )
        );
        timelock.executeBatch(m.targets, m.values, m.calls, 0, _salt(m));
    }

    /// @dev Even the proposer cannot queue with less than the delay.
    function test_RevertWhen_Bypass_WithoutTheDelay() external {
        Motion memory m = _lowerFee();
        vm.expectRevert(abi.encodeWithSelector(IDpuTimelock.TimelockInsufficientDelay.selector, LOCK - 1, LOCK));
        vm.prank(address(gov));
        timelock.scheduleBatch(m.targets, m.values, m.calls, 0, 0, LOCK - 1);
    }

    function test_RevertWhen_Bypass_ByARole() external {
        bytes32[4] memory roles = [
            timelock.DEFAULT_ADMIN_ROLE(), timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE(), timelock.EXECUTOR_ROLE()
        ];
        address[] memory all = _everybody();
        for (uint256 i; i < all.length; ++i) {
            for (uint256 k; k < roles.length; ++k) {
                vm.expectRevert(_lacks(all[i], bytes32(0)));
                vm.prank(all[i]);
                timelock.grantRole(roles[k], all[i]);
                vm.expectRevert(_lacks(all[i], bytes32(0)));
                vm.prank(all[i]);
                timelock.revokeRole(roles[k], address(gov));
            }
        }
    }

    function test_RevertWhen_Bypass_ByTheGovernorsOwnSettings() external {
        bytes[] memory calls = new bytes[](8);
        calls[0] = abi.encodeCall(gov.setVotingDelay, (1 days));
        calls[1] = abi.encodeCall(gov.setVotingPeriod, (5 days));
        calls[2] = abi.encodeCall(gov.setProposalThreshold, (THRESHOLD));
        calls[3] = abi.encodeCall(gov.setLateQuorumVoteExtension, (1 days));
        calls[4] = abi.encodeCall(gov.updateQuorumNumerator, (4));
        calls[5] = abi.encodeCall(gov.setProposalGuardian, (stranger));
        calls[6] = abi.encodeCall(gov.updateTimelock, (stranger));
        calls[7] = abi.encodeCall(gov.relay, (address(market), 0, ""));
        address[] memory all = _everybody();
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 k; k < all.length; ++k) {
                vm.prank(all[k]);
                (bool ok, bytes memory answer) = address(gov).call(calls[i]);
                assertFalse(ok);
                assertEq(answer, abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, all[k]));
            }
        }
    }

    /// @dev Not even the timelock turns the governor's settings, but by a proposal that the governor executes.
    function test_RevertWhen_Bypass_ByTheTimelockPastTheGovernor() external {
        Motion memory m = _motion(address(gov), abi.encodeCall(gov.setVotingDelay, (2 days)), "Think longer");
        _queued(m);
        vm.warp(gov.proposalEta(m.id));
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x31)); // the governor expects no such call
        timelock.executeBatch(m.targets, m.values, m.calls, 0, _salt(m));
        _execute(m);
        assertEq(gov.votingDelay(), 2 days);
    }

    /// @dev Executing is open to all, there too; the governor sees it.
    function test_Execute_DirectlyInTheTimelock() external {
        Motion memory m = _lowerFee();
        _queued(m);
        vm.warp(gov.proposalEta(m.id));
        vm.prank(stranger);
        timelock.executeBatch(m.targets, m.values, m.calls, 0, _salt(m));
        _assertState(m, IGovernor.ProposalState.Executed);
        (Rules rules,,,,) = market.config();
        assertEq(rules.version(), 2);
    }

    /// @dev All calls of a proposal, or none.
    function test_RevertWhen_Execute_OneCallFails() external {
        Motion memory m;
        m.targets = new address[](2);
        m.values = new uint256[](2);
        m.calls = new bytes[](2);
        (m.targets[0], m.targets[1]) = (address(market), address(market));
        Params memory p = _params();
        m.calls[0] = abi.encodeCall(market.addParams, (p));
        p.feeBps = 1_001;
        m.calls[1] = abi.encodeCall(market.addParams, (p));
        m.description = "One good, one not";
        m.descriptionHash = keccak256(bytes(m.description));
        m.id = gov.getProposalId(m.targets, m.values, m.calls, m.descriptionHash);
        _queued(m);
        vm.warp(gov.proposalEta(m.id));
        vm.expectRevert(_outOfBounds("feeBps", 1_001, 0, 1_000));
        _execute(m);
        (Rules rules,,,,) = market.config();
        assertEq(rules.version(), 1);
    }

    /* WHAT A VOTE CANNOT DO */

    /// @dev Whatever the timelock is told to call in the Market, with whatever arguments: no balance, stake, escrow or job of anybody moves.
    function testFuzz_Owner_CannotTakeAnything(uint256 which, uint256 a, uint256 b, address to) external {
        bytes32 open = _post(_terms());
        vm.assume(to != address(0));
        address[] memory payees = new address[](1);
        payees[0] = alice.owner;
        bytes[] memory calls = new bytes[](12);
        calls[0] = abi.encodeCall(market.withdraw, (address(dpu), to, a % 1e30));
        calls[1] = abi.encodeCall(market.withdraw, (address(usd), to, a % 1e30));
        calls[2] = abi.encodeCall(market.collectFees, (address(dpu), payees));
        calls[3] = abi.encodeCall(market.setTreasury, (to));
        calls[4] = abi.encodeCall(market.allowCurrency, (address(dpu), false));
        calls[5] = abi.encodeCall(market.unstake, (uint32(1 + b % 4), to));
        calls[6] = abi.encodeCall(market.queueUnstake, (uint32(1 + b % 4), a));
        calls[7] = abi.encodeCall(market.delegateStake, (to));
        calls[8] = abi.encodeCall(market.setUnbonding, (uint32(a)));
        calls[9] = abi.encodeCall(market.setMinStake, (uint96(a)));
        calls[10] = abi.encodeCall(market.setTier, (uint32(1 + b % 4), uint8(a), uint40(b)));
        calls[11] = abi.encodeCall(market.setGuardian, (to, uint40(a)));
        bytes32 before = _everyonesMoney(open);
        vm.prank(address(timelock));
        (bool ok,) = address(market).call(calls[which % 12]);
        ok;
        vm.prank(address(timelock));
        (ok,) = address(dpu).call(abi.encodeWithSignature("transferFrom(address,address,uint256)", requester, to, a));
        assertEq(_everyonesMoney(open), before);
    }

    /// @dev Everything in the Market that belongs to somebody, as one hash.
    function _everyonesMoney(bytes32 job) private view returns (bytes32) {
        bytes memory all = abi.encode(
            market.balanceOf(address(dpu), requester), market.balanceOf(address(usd), requester), market.job(job)
        );
        address[2] memory tokens = [address(dpu), address(usd)];
        for (uint256 i; i < tokens.length; ++i) {
            (, bytes memory held) = tokens[i].staticcall(abi.encodeWithSignature("balanceOf(address)", address(market)));
            all = abi.encode(all, held);
        }
        Actor[4] memory owners = [alice, bob, carol, sue];
        for (uint256 i; i < owners.length; ++i) {
            address surrogate = market.surrogateOf(owners[i].owner);
            all = abi.encode(all, market.node(owners[i].id).stake, dpu.balanceOf(surrogate), dpu.delegates(surrogate));
        }
        return keccak256(all);
    }

    function _outOfBounds(bytes32 name, uint256 value, uint256 least, uint256 most)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSignature(
            "ParameterOutOfBounds(bytes32,uint256,uint256,uint256)", name, value, least, most
        );
    }
}
