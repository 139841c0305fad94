// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Params} from "src-contracts/types/Params.sol";
import {IDpuGovernor, IDpuTimelock} from "test/contracts/governance/IDpuGovernance.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";

/// @dev A Market that belongs to the timelock, with the windows of the main network, and three voters: `sue` by stake (30 million DPU), `lena` by
/// liquid DPU (20 million), `tom` by 2.5 million that somebody delegated to him: just enough to propose. Quorum is 40 million.
abstract contract GovernanceTest is MarketTest {
    /// @dev A proposal with everything that calldata needs.
    struct Motion {
        uint256 id;
        address[] targets;
        uint256[] values;
        bytes[] calls;
        string description;
        bytes32 descriptionHash;
    }

    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;

    uint256 internal constant SUPPLY = 1_000_000_000e18;
    uint256 internal constant QUORUM = 40_000_000e18;
    uint256 internal constant THRESHOLD = 2_500_000e18;
    uint96 internal constant SUES = 30_000_000e18;
    uint256 internal constant LENAS = 20_000_000e18;

    uint256 internal constant DELAY = 1 days;
    uint256 internal constant PERIOD = 5 days;
    uint256 internal constant EXTENSION = 1 days;
    uint256 internal constant LOCK = 2 days;

    IDpuGovernor internal gov;
    IDpuTimelock internal timelock;
    address internal warden = makeAddr("warden");
    Actor internal sue;
    address internal lena = makeAddr("lena");
    address internal tom = makeAddr("tom");
    address internal tomsFriend = makeAddr("tom's friend");

    function setUp() public virtual override {
        super.setUp();
        timelock = IDpuTimelock(vm.deployCode("DpuTimelock.sol:DpuTimelock", abi.encode(LOCK, address(this))));
        gov = IDpuGovernor(
            vm.deployCode("DpuGovernor.sol:DpuGovernor", abi.encode(dpu, timelock, warden, DELAY, PERIOD, EXTENSION))
        );
        _handOver();

        sue = _node("sue", SUES);
        _give(lena, LENAS, lena);
        _give(tomsFriend, THRESHOLD, tom);
        _pass(1 hours, 100);
    }

    /// @dev What the deployment script does, by hand.
    function _handOver() private {
        vm.prank(governor);
        Ownable2Step(address(market)).transferOwnership(address(timelock));
        address[] memory targets = new address[](6);
        bytes[] memory calls = new bytes[](6);
        for (uint256 i = 1; i < 6; ++i) {
            targets[i] = address(timelock);
        }
        targets[0] = address(market);
        calls[0] = abi.encodeCall(Ownable2Step.acceptOwnership, ());
        calls[1] = abi.encodeCall(timelock.grantRole, (timelock.PROPOSER_ROLE(), address(gov)));
        calls[2] = abi.encodeCall(timelock.grantRole, (timelock.CANCELLER_ROLE(), address(gov)));
        calls[3] = abi.encodeCall(timelock.revokeRole, (timelock.PROPOSER_ROLE(), address(this)));
        calls[4] = abi.encodeCall(timelock.revokeRole, (timelock.CANCELLER_ROLE(), address(this)));
        calls[5] = abi.encodeCall(timelock.updateDelay, (LOCK));
        timelock.scheduleBatch(targets, new uint256[](6), calls, 0, 0, 0);
        timelock.executeBatch(targets, new uint256[](6), calls, 0, 0);
    }

    function _give(address to, uint256 amount, address delegatee) internal {
        dpu.transfer(to, amount);
        vm.prank(to);
        dpu.delegate(delegatee);
    }

    /* MOTIONS */

    function _motion(address target, bytes memory call, string memory text) internal view returns (Motion memory m) {
        m.targets = new address[](1);
        m.values = new uint256[](1);
        m.calls = new bytes[](1);
        (m.targets[0], m.calls[0], m.description) = (target, call, text);
        m.descriptionHash = keccak256(bytes(text));
        m.id = gov.getProposalId(m.targets, m.values, m.calls, m.descriptionHash);
    }

    /// @dev A lower fee for jobs to come.
    function _lowerFee() internal view returns (Motion memory) {
        Params memory p = _params();
        p.feeBps = 200;
        return _motion(address(market), abi.encodeCall(market.addParams, (p)), "Lower the fee to 2 %");
    }

    function _propose(Motion memory m) internal {
        vm.prank(tom);
        gov.propose(m.targets, m.values, m.calls, m.description);
    }

    /// @dev Proposed, and in the first second in which votes count.
    function _open(Motion memory m) internal {
        _propose(m);
        vm.warp(gov.proposalSnapshot(m.id) + 1);
    }

    function _vote(Motion memory m, address voter, uint8 support) internal returns (uint256 weight) {
        vm.prank(voter);
        return gov.castVote(m.id, support);
    }

    /// @dev To the first second after the vote.
    function _endVote(Motion memory m) internal {
        vm.warp(gov.proposalDeadline(m.id) + 1);
    }

    /// @dev Sue and Lena agree.
    function _adopted(Motion memory m) internal {
        _open(m);
        _vote(m, sue.owner, FOR);
        _vote(m, lena, FOR);
        _endVote(m);
    }

    function _queue(Motion memory m) internal {
        gov.queue(m.targets, m.values, m.calls, m.descriptionHash);
    }

    function _execute(Motion memory m) internal {
        gov.execute(m.targets, m.values, m.calls, m.descriptionHash);
    }

    function _queued(Motion memory m) internal {
        _adopted(m);
        _queue(m);
    }

    function _enacted(Motion memory m) internal {
        _queued(m);
        vm.warp(gov.proposalEta(m.id));
        _execute(m);
    }

    function _cancel(Motion memory m, address caller) internal {
        vm.prank(caller);
        gov.cancel(m.targets, m.values, m.calls, m.descriptionHash);
    }

    /// @dev The operation's id in the timelock.
    function _operation(Motion memory m) internal view returns (bytes32) {
        return timelock.hashOperationBatch(m.targets, m.values, m.calls, 0, _salt(m));
    }

    function _salt(Motion memory m) internal view returns (bytes32) {
        return bytes20(address(gov)) ^ m.descriptionHash;
    }

    /* READING */

    function _assertState(Motion memory m, IGovernor.ProposalState expected) internal view {
        assertEq(uint8(gov.state(m.id)), uint8(expected), "state of the proposal");
    }

    function _unexpected(Motion memory m, IGovernor.ProposalState actual, IGovernor.ProposalState needed)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            IGovernor.GovernorUnexpectedProposalState.selector, m.id, actual, bytes32(1 << uint8(needed))
        );
    }
}
