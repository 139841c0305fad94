// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Node} from "src-contracts/types/Node.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";

contract NodesTest is MarketTest {
    bytes32 private constant KEY = keccak256("age key");

    function test_Register_MakesANode() external {
        address operator = makeAddr("operator");
        vm.expectEmit(address(market));
        emit NodeFacts.NodeSet(4, stranger, operator, 6, KEY, "http://n/", uint40(_now()));
        vm.prank(stranger);
        uint32 id = market.register(operator, 6, KEY, "http://n/");

        assertEq(id, 4);
        assertEq(market.nodeOf(operator), 4);
        Node memory n = market.node(4);
        assertEq(n.owner, stranger);
        assertEq(n.operator, operator);
        assertEq(n.runtimes, 6);
        assertEq(n.record, 5_000);
        assertEq(n.since, _now());
        assertEq(n.key, KEY);
        assertEq(n.endpoint, "http://n/");
        assertEq(uint256(n.stake) + n.locked + n.queued + n.tier, 0);
        (,,,, uint32 count) = market.config();
        assertEq(count, 4);
    }

    function test_RevertWhen_Register_OperatorIsZeroOrTaken() external {
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        market.register(address(0), 2, 0, "");
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.OperatorTaken.selector, bob.operator, bob.id));
        market.register(bob.operator, 2, 0, "");
    }

    function test_RevertWhen_Register_RuntimesAreEmptyOrTheReserved() external {
        uint32[3] memory wrong = [uint32(0), 1, 3];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(NodeFacts.RuntimesInvalid.selector, wrong[i]));
            market.register(stranger, wrong[i], 0, "");
        }
        market.register(stranger, type(uint32).max - 1, 0, "");
    }

    function test_RevertWhen_Register_EndpointIsTooLong() external {
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.EndpointTooLong.selector, 257));
        market.register(stranger, 2, 0, string(new bytes(257)));
        market.register(stranger, 2, 0, string(new bytes(256)));
    }

    function test_SetNode_MovesTheHotKey() external {
        vm.prank(alice.owner);
        market.setNode(alice.id, stranger, 2, KEY, "x");
        assertEq(market.nodeOf(stranger), alice.id);
        assertEq(market.nodeOf(alice.operator), 0, "the old key is free");
        vm.prank(bob.owner);
        market.setNode(bob.id, alice.operator, 2, 0, "");
        assertEq(market.nodeOf(alice.operator), bob.id);
    }

    function test_SetNode_KeepsItsAgeUnlessRuntimesChange() external {
        uint40 since = market.node(alice.id).since;
        vm.startPrank(alice.owner);
        market.setNode(alice.id, alice.operator, 2, KEY, "x");
        assertEq(market.node(alice.id).since, since);
        market.setNode(alice.id, alice.operator, 4, KEY, "x");
        assertEq(market.node(alice.id).since, _now());
    }

    function test_SetNode_MovesItsStakeBetweenRuntimes() external {
        vm.prank(alice.owner);
        market.setNode(alice.id, alice.operator, 4 | 128, 0, "");
        (uint96 one,) = market.runtime(1);
        (uint96 two,) = market.runtime(2);
        (uint96 seven,) = market.runtime(7);
        assertEq(one, 2 * STAKE);
        assertEq(two, STAKE);
        assertEq(seven, STAKE);
    }

    function test_SetNode_CountsItsStakeInEveryRuntime() external {
        vm.prank(alice.owner);
        market.setNode(alice.id, alice.operator, type(uint32).max - 1, 0, "");
        for (uint8 r = 1; r < 32; ++r) {
            (uint96 stake,) = market.runtime(r);
            assertEq(stake, r == 1 ? 3 * STAKE : STAKE);
        }
    }

    function test_RevertWhen_SetNode_NotByItsOwner() external {
        address[2] memory callers = [alice.operator, stranger];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOwner.selector, alice.id, callers[i]));
            vm.prank(callers[i]);
            market.setNode(alice.id, stranger, 2, 0, "");
        }
    }

    function test_RevertWhen_SetNode_OperatorIsTaken() external {
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.OperatorTaken.selector, bob.operator, bob.id));
        vm.prank(alice.owner);
        market.setNode(alice.id, bob.operator, 2, 0, "");
    }

    function test_SetEndpoint_ByOperatorOrOwner() external {
        Node memory n = market.node(alice.id);
        vm.expectEmit(address(market));
        emit NodeFacts.NodeSet(alice.id, alice.owner, alice.operator, 2, n.key, "a", n.since);
        vm.prank(alice.operator);
        market.setEndpoint(alice.id, "a");
        vm.prank(alice.owner);
        market.setEndpoint(alice.id, "b");
        assertEq(market.node(alice.id).endpoint, "b");
        string memory longest = string(new bytes(256));
        vm.prank(alice.owner);
        market.setEndpoint(alice.id, longest);
        assertEq(market.node(alice.id).endpoint, longest);
    }

    function test_RevertWhen_SetEndpoint_ByAnotherOrTooLong() external {
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, stranger));
        vm.prank(stranger);
        market.setEndpoint(alice.id, "a");
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, 99, stranger));
        vm.prank(stranger);
        market.setEndpoint(99, "a");
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.EndpointTooLong.selector, 257));
        vm.prank(alice.operator);
        market.setEndpoint(alice.id, string(new bytes(257)));
    }

    function test_RevertWhen_Node_IsUnknown() external {
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NodeUnknown.selector, 0));
        market.node(0);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NodeUnknown.selector, 4));
        market.node(4);
    }
}
