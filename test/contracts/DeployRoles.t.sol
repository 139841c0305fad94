// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Test, Vm} from "forge-std/Test.sol";
import {IComputeCredits} from "src-contracts/interfaces/IComputeCredits.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Params} from "src-contracts/types/Params.sol";
import {IDeploy} from "test/contracts/Deploy.t.sol";
import {IDpuGovernor, IDpuTimelock} from "test/contracts/governance/IDpuGovernance.sol";

/// @dev Who holds what after a deployment, read from everything that it logged: exactly this, and nothing for the deployer.
contract DeployRolesTest is Test {
    struct Holding {
        address where;
        bytes32 what;
        address who;
    }

    uint256 private constant KEY = 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80;
    bytes32 private constant OWNER = "owner";
    bytes32 private constant NEXT_OWNER = "next owner";
    bytes32 private constant TREASURY = "treasury";
    bytes32 private constant GUARDIAN = "guardian";
    bytes32 private constant CANCELS = "may cancel proposals";

    IMarket private market;
    IDpuGovernor private gov;
    IDpuTimelock private timelock;
    address private extension;
    address private credits;
    address private proofs;
    address private deployer = vm.addr(KEY);
    address private guardian = 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC;

    Holding[] private held;
    bytes32[] private operations;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.createDir(".dpu", true);
        string memory file = ".dpu/test-roles.json";
        IDeploy script = IDeploy(vm.deployCode("Deploy.s.sol:Deploy"));
        vm.recordLogs();
        market = script.deploy(file, true, KEY);
        string memory json = vm.readFile(file);
        vm.removeFile(file);
        gov = IDpuGovernor(vm.parseJsonAddress(json, ".governor"));
        timelock = IDpuTimelock(vm.parseJsonAddress(json, ".timelock"));
        extension = vm.parseJsonAddress(json, ".extension");
        credits = vm.parseJsonAddress(json, ".credits");
        proofs = vm.parseJsonAddress(json, ".proofs");
        _replay(vm.getRecordedLogs());
    }

    /// @dev Every event with which OpenZeppelin's contracts and ours give or take a power.
    function _replay(Vm.Log[] memory logs) private {
        for (uint256 i; i < logs.length; ++i) {
            bytes32[] memory t = logs[i].topics;
            address where = logs[i].emitter;
            if (t[0] == IAccessControl.RoleGranted.selector) _set(where, t[1], _account(t[2]), true);
            if (t[0] == IAccessControl.RoleRevoked.selector) _set(where, t[1], _account(t[2]), false);
            if (t[0] == IAccessControl.RoleAdminChanged.selector) revert("a role changed its admin");
            if (t[0] == Ownable.OwnershipTransferred.selector) {
                _set(where, OWNER, _account(t[1]), false);
                _set(where, OWNER, _account(t[2]), true);
            }
            if (t[0] == keccak256("OwnershipTransferStarted(address,address)")) {
                _set(where, NEXT_OWNER, _account(t[2]), true);
            }
            if (t[0] == keccak256("TreasurySet(address)")) _set(where, TREASURY, _account(t[1]), true);
            if (t[0] == keccak256("GuardianSet(address,uint40)")) _set(where, GUARDIAN, _account(t[1]), true);
            if (t[0] == IDpuGovernor.ProposalGuardianTermSet.selector) _set(where, CANCELS, _account(t[1]), true);
            if (t[0] == keccak256("CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)")) {
                operations.push(t[1]);
            }
        }
    }

    function _account(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    function _set(address where, bytes32 what, address who, bool holds) private {
        if (holds) {
            held.push(Holding(where, what, who));
            return;
        }
        for (uint256 i; i < held.length; ++i) {
            if (held[i].where != where || held[i].what != what || held[i].who != who) continue;
            held[i] = held[held.length - 1];
            held.pop();
            return;
        }
    }

    function _assertHeld(address where, bytes32 what, address who) private view {
        for (uint256 i; i < held.length; ++i) {
            if (held[i].where == where && held[i].what == what && held[i].who == who) return;
        }
        revert(string.concat("nobody holds ", vm.toString(what), " as expected in ", vm.toString(where)));
    }

    /* THE SNAPSHOT */

    function test_Roles_AreExactlyThese() external view {
        address t = address(timelock);
        _assertHeld(t, timelock.DEFAULT_ADMIN_ROLE(), t);
        _assertHeld(t, timelock.PROPOSER_ROLE(), address(gov));
        _assertHeld(t, timelock.CANCELLER_ROLE(), address(gov));
        _assertHeld(t, timelock.EXECUTOR_ROLE(), address(0));
        _assertHeld(address(market), OWNER, t);
        _assertHeld(credits, OWNER, t);
        _assertHeld(proofs, OWNER, t);
        _assertHeld(address(market), TREASURY, t);
        _assertHeld(address(market), GUARDIAN, guardian);
        _assertHeld(address(gov), CANCELS, guardian);
        _assertHeld(extension, OWNER, address(0xdead));
        string[3] memory parts = ["PANELS()", "EXITS()", "COURT()"];
        for (uint256 i; i < parts.length; ++i) {
            (, bytes memory part) = address(market).staticcall(abi.encodeWithSignature(parts[i]));
            _assertHeld(abi.decode(part, (address)), OWNER, address(0xdead));
        }
        assertEq(held.length, 14, "and no other");
        for (uint256 i; i < held.length; ++i) {
            assertTrue(held[i].who != deployer, "nothing for the deployer");
        }
    }

    /// @dev What the deployer queued in the timelock is one operation, and it is done: none is left to be executed later.
    function test_Operations_OfTheSetUpAreOneAndDone() external view {
        assertEq(operations.length, 17);
        for (uint256 i; i < operations.length; ++i) {
            assertEq(operations[i], operations[0], "one batch");
        }
        assertTrue(timelock.isOperationDone(operations[0]));
    }

    /* THE DEPLOYER */

    function test_RevertWhen_Deployer_DoesAnything() external {
        Params memory p = market.params(1);
        bytes[] memory calls = new bytes[](9);
        calls[8] = abi.encodeCall(market.allowSeats, (true));
        calls[0] = abi.encodeCall(market.addParams, (p));
        calls[1] = abi.encodeCall(market.allowCurrency, (deployer, true));
        calls[2] = abi.encodeCall(market.allowRuntime, (2, true));
        calls[3] = abi.encodeCall(market.setMinStake, (1e18));
        calls[4] = abi.encodeCall(market.setUnbonding, (7 days));
        calls[5] = abi.encodeCall(market.setTreasury, (deployer));
        calls[6] = abi.encodeCall(market.setGuardian, (deployer, 0));
        calls[7] = abi.encodeWithSignature("transferOwnership(address)", deployer);
        for (uint256 i; i < calls.length; ++i) {
            _refused(
                address(market), calls[i], abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, deployer)
            );
        }
        bytes[] memory turns = new bytes[](4);
        turns[0] = abi.encodeCall(IComputeCredits.setRate, (deployer, 1));
        turns[1] = abi.encodeCall(IComputeCredits.setOffer, (0.1e18));
        turns[2] = abi.encodeCall(IComputeCredits.setCap, (1e18));
        turns[3] = abi.encodeWithSignature("transferOwnership(address)", deployer);
        for (uint256 i; i < turns.length; ++i) {
            _refused(credits, turns[i], abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, deployer));
        }
        _refused(
            address(market),
            abi.encodeCall(market.pause, (1)),
            abi.encodeWithSignature("NotGuardian(address)", deployer)
        );

        (address[] memory targets, uint256[] memory values) = (new address[](1), new uint256[](1));
        bytes[] memory payloads = new bytes[](1);
        (targets[0], payloads[0]) = (address(market), calls[0]);
        address t = address(timelock);
        bytes memory schedule = abi.encodeCall(timelock.scheduleBatch, (targets, values, payloads, 0, 0, 10));
        _refused(t, schedule, _lacks(timelock.PROPOSER_ROLE()));
        _refused(t, abi.encodeCall(timelock.cancel, (operations[0])), _lacks(timelock.CANCELLER_ROLE()));
        _refused(t, abi.encodeCall(timelock.grantRole, (timelock.PROPOSER_ROLE(), deployer)), _lacks(0));
        _refused(
            t,
            abi.encodeCall(timelock.updateDelay, (10)),
            abi.encodeWithSelector(IDpuTimelock.TimelockUnauthorizedCaller.selector, deployer)
        );
        bytes memory appoint = abi.encodeCall(gov.setProposalGuardian, (deployer));
        _refused(address(gov), appoint, abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, deployer));
    }

    function _refused(address target, bytes memory call, bytes memory refusal) private {
        vm.prank(deployer);
        (bool ok, bytes memory answer) = target.call(call);
        assertFalse(ok);
        assertEq(answer, refusal);
    }

    function _lacks(bytes32 role) private view returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, deployer, role);
    }
}
