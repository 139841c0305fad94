// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Parameters} from "src-contracts/Parameters.sol";
import {GovernanceTest} from "test/contracts/governance/GovernanceTest.sol";
import {IDpuGovernor, IDpuTimelock} from "test/contracts/governance/IDpuGovernance.sol";

/// @dev What a vote may do to the rules of voting, and no further.
contract BoundsTest is GovernanceTest {
    function _bounds(bytes32 name, uint256 value, uint256 least, uint256 most) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Parameters.ParameterOutOfBounds.selector, name, value, least, most);
    }

    /// @dev Adopts the call and expects the refusal when it is executed.
    function _refuses(address target, bytes memory call, bytes memory refusal) private {
        Motion memory m = _motion(target, call, "Out of bounds");
        _queued(m);
        vm.warp(gov.proposalEta(m.id));
        vm.expectRevert(refusal);
        _execute(m);
    }

    function _takes(address target, bytes memory call) private {
        _enacted(_motion(target, call, "In bounds"));
    }

    function test_VotingDelay_FromAQuarterTo30Days() external {
        address g = address(gov);
        _refuses(
            g, abi.encodeCall(gov.setVotingDelay, (6 hours - 1)), _bounds("votingDelay", 6 hours - 1, 6 hours, 30 days)
        );
        _refuses(
            g, abi.encodeCall(gov.setVotingDelay, (30 days + 1)), _bounds("votingDelay", 30 days + 1, 6 hours, 30 days)
        );
        _takes(g, abi.encodeCall(gov.setVotingDelay, (6 hours)));
        assertEq(gov.votingDelay(), 6 hours);
        // The bound is a quarter of the first value, not of the last.
        _refuses(g, abi.encodeCall(gov.setVotingDelay, (3 hours)), _bounds("votingDelay", 3 hours, 6 hours, 30 days));
        _takes(g, abi.encodeCall(gov.setVotingDelay, (30 days)));
        assertEq(gov.votingDelay(), 30 days);
    }

    function test_VotingPeriod_FromAQuarterTo30Days() external {
        address g = address(gov);
        _refuses(
            g,
            abi.encodeCall(gov.setVotingPeriod, (30 hours - 1)),
            _bounds("votingPeriod", 30 hours - 1, 30 hours, 30 days)
        );
        _refuses(
            g,
            abi.encodeCall(gov.setVotingPeriod, (30 days + 1)),
            _bounds("votingPeriod", 30 days + 1, 30 hours, 30 days)
        );
        _takes(g, abi.encodeCall(gov.setVotingPeriod, (30 hours)));
        assertEq(gov.votingPeriod(), 30 hours);
    }

    function test_LateQuorumExtension_FromAQuarterToTheVotingPeriod() external {
        address g = address(gov);
        _refuses(
            g,
            abi.encodeCall(gov.setLateQuorumVoteExtension, (6 hours - 1)),
            _bounds("lateQuorumExtension", 6 hours - 1, 6 hours, 30 days)
        );
        _refuses(
            g,
            abi.encodeCall(gov.setLateQuorumVoteExtension, (5 days + 1)),
            abi.encodeWithSignature(
                "GovernorPreventLateQuorumVoteExtensionTooLarge(uint256,uint256)", 5 days + 1, 5 days
            )
        );
        _takes(g, abi.encodeCall(gov.setLateQuorumVoteExtension, (6 hours)));
        assertEq(gov.lateQuorumVoteExtension(), 6 hours);
    }

    function test_ProposalThreshold_FromAHundredthOfAPercentToOne() external {
        address g = address(gov);
        _refuses(
            g,
            abi.encodeCall(gov.setProposalThreshold, (100_000e18 - 1)),
            _bounds("proposalThreshold", 100_000e18 - 1, 100_000e18, 10_000_000e18)
        );
        _refuses(
            g,
            abi.encodeCall(gov.setProposalThreshold, (10_000_000e18 + 1)),
            _bounds("proposalThreshold", 10_000_000e18 + 1, 100_000e18, 10_000_000e18)
        );
        _takes(g, abi.encodeCall(gov.setProposalThreshold, (100_000e18)));
        assertEq(gov.proposalThreshold(), 100_000e18);
    }

    function test_Quorum_FromOneTo20Percent() external {
        address g = address(gov);
        _refuses(g, abi.encodeCall(gov.updateQuorumNumerator, (0)), _bounds("quorumPercent", 0, 1, 20));
        _refuses(g, abi.encodeCall(gov.updateQuorumNumerator, (21)), _bounds("quorumPercent", 21, 1, 20));
        _takes(g, abi.encodeCall(gov.updateQuorumNumerator, (1)));
        assertEq(gov.quorumNumerator(), 1);
        assertEq(gov.quorumDenominator(), 100);
    }

    function test_TimelockDelay_FromAQuarterTo30Days() external {
        address t = address(timelock);
        _refuses(
            t,
            abi.encodeCall(timelock.updateDelay, (12 hours - 1)),
            _bounds("timelockDelay", 12 hours - 1, 12 hours, 30 days)
        );
        _refuses(
            t,
            abi.encodeCall(timelock.updateDelay, (30 days + 1)),
            _bounds("timelockDelay", 30 days + 1, 12 hours, 30 days)
        );
        _takes(t, abi.encodeCall(timelock.updateDelay, (12 hours)));
        assertEq(timelock.getMinDelay(), 12 hours);
    }

    function test_RevertWhen_TimelockDelay_IsSetByAnybodyElse() external {
        vm.expectRevert(abi.encodeWithSelector(IDpuTimelock.TimelockUnauthorizedCaller.selector, stranger));
        vm.prank(stranger);
        timelock.updateDelay(3 days);
        vm.expectRevert(abi.encodeWithSelector(IDpuTimelock.TimelockUnauthorizedCaller.selector, address(this)));
        timelock.updateDelay(3 days);
    }

    /* AT DEPLOYMENT */

    /// @dev A local network's windows, and the floors that follow: a quarter, but a second at least.
    function test_Deployment_WithShortWindows() external {
        IDpuGovernor g = _governor(10, 3, 1);
        assertEq(g.votingDelay(), 10);
        assertEq(g.votingPeriod(), 3);
        assertEq(g.lateQuorumVoteExtension(), 1);
        assertEq(g.quorumNumerator(), 4);
        assertEq(g.proposalThreshold(), THRESHOLD);
        assertEq(g.CLOCK_MODE(), "mode=timestamp");
        assertEq(g.clock(), _now());
        assertEq(g.name(), "DPU Governor");
        assertEq(g.token(), address(dpu));
        assertEq(g.timelock(), address(timelock));
    }

    function test_RevertWhen_Deployment_AWindowIsOutOfBounds() external {
        _cannotGovern(0, 1, 1, _bounds("votingDelay", 0, 1, 30 days));
        _cannotGovern(30 days + 1, 1, 1, _bounds("votingDelay", 30 days + 1, 1, 30 days));
        _cannotGovern(1, 0, 1, _bounds("votingPeriod", 0, 1, 30 days));
        _cannotGovern(1, 30 days + 1, 1, _bounds("votingPeriod", 30 days + 1, 1, 30 days));
        _cannotGovern(1, 1, 0, _bounds("lateQuorumExtension", 0, 1, 30 days));
        _cannotLock(0, _bounds("timelockDelay", 0, 1, 30 days));
        _cannotLock(30 days + 1, _bounds("timelockDelay", 30 days + 1, 1, 30 days));
        assertEq(timelock.FIRST_DELAY(), LOCK);
    }

    function _governor(uint256 delay, uint256 period, uint256 extension) private returns (IDpuGovernor) {
        return IDpuGovernor(
            vm.deployCode("DpuGovernor.sol:DpuGovernor", abi.encode(dpu, timelock, warden, delay, period, extension))
        );
    }

    function _cannotGovern(uint256 delay, uint256 period, uint256 extension, bytes memory refusal) private {
        bytes memory args = abi.encode(dpu, timelock, warden, delay, period, extension);
        _cannotCreate(abi.encodePacked(vm.getCode("DpuGovernor.sol:DpuGovernor"), args), refusal);
    }

    function _cannotLock(uint256 delay, bytes memory refusal) private {
        bytes memory args = abi.encode(delay, address(this));
        _cannotCreate(abi.encodePacked(vm.getCode("DpuTimelock.sol:DpuTimelock"), args), refusal);
    }

    function _cannotCreate(bytes memory code, bytes memory refusal) private {
        address made;
        bytes memory answer;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            answer := mload(0x40)
            mstore(answer, returndatasize())
            returndatacopy(add(answer, 32), 0, returndatasize())
            mstore(0x40, add(add(answer, 32), and(add(returndatasize(), 31), not(31))))
        }
        assertEq(made, address(0));
        assertEq(answer, refusal);
    }
}
