// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Test} from "forge-std/Test.sol";
import {Vm} from "forge-std/Vm.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {ICredits} from "test/contracts/credits/CreditsTest.sol";
import {IDpuGovernor, IDpuTimelock} from "test/contracts/governance/IDpuGovernance.sol";
import {IDpu} from "test/contracts/lib/IDpu.sol";

interface IDeploy {
    error AlreadyDeployed(string file, address market);
    error CheckFailed(string what);

    function deploy(string calldata file, bool local, uint256 key) external returns (IMarket);
}

/// @dev The deployment script, run twice as an operator would: the first leaves what it promises, the second refuses.
contract DeployTest is Test {
    uint256 internal constant KEY = 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80;
    /// @dev Keys of the people whom the environment names; the same in every test, because the environment is shared.
    uint256 internal constant HOLDER = 11;
    uint256 internal constant TREASURY = 12;
    uint256 internal constant GUARDIAN = 13;

    IDeploy internal script;
    string internal file;
    address internal deployer = vm.addr(KEY);

    function setUp() public {
        vm.warp(1_800_000_000);
        script = IDeploy(vm.deployCode("Deploy.s.sol:Deploy"));
        vm.createDir(".dpu", true);
        vm.setEnv("DPU_HOLDER", vm.toString(vm.addr(HOLDER)));
        vm.setEnv("DPU_TREASURY", vm.toString(vm.addr(TREASURY)));
        vm.setEnv("DPU_GUARDIAN", vm.toString(vm.addr(GUARDIAN)));
        vm.setEnv("DPU_CURRENCIES", string.concat(vm.toString(address(0xC1)), ",", vm.toString(address(0xC2))));
    }

    /// @dev Each test writes a file of its own, because tests run side by side.
    function _file(string memory name) internal {
        file = string.concat(".dpu/test-deploy-", name, ".json");
        if (vm.exists(file)) vm.removeFile(file);
    }

    function _address(string memory key) internal view returns (address) {
        return vm.parseJsonAddress(vm.readFile(file), key);
    }

    function _creditsEpoch() internal view returns (uint256) {
        return ICredits(_address(".credits")).FIRST_EPOCH_LENGTH();
    }

    /// @dev Runtimes that were opened since the last call, a bit for each.
    function _runtimesOpened() internal returns (uint256 bits) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == LedgerFacts.RuntimeAllowed.selector) bits |= 1 << uint256(logs[i].topics[1]);
        }
    }

    function test_Deploy_OfALocalNetworkUsesShortWindows() external {
        _file("local");
        IMarket market = script.deploy(file, true, KEY);
        assertEq(market.params(1).revealWindow, 60);
        assertEq(market.params(1).auditWindow, 60);
        assertEq(market.params(1).openFor, 5);
        assertEq(market.params(1).drawStep, 2);
        assertEq(market.params(1).drawOpenAfter, 20);
        assertEq(market.params(1).feeBps, 300);
        IDpuGovernor governor = IDpuGovernor(_address(".governor"));
        assertEq(governor.votingDelay(), 10);
        assertEq(governor.votingPeriod(), 120);
        assertEq(governor.lateQuorumVoteExtension(), 30);
        assertEq(IDpuTimelock(_address(".timelock")).getMinDelay(), 10);
        assertEq(governor.proposalThreshold(), 2_500_000e18, "thresholds are no windows");
        assertEq(governor.quorumNumerator(), 4);
        assertEq(_creditsEpoch(), 5 minutes);
        vm.removeFile(file);
    }

    /// @dev Its deployer holds the play money and nothing else; the local dollar is open.
    function test_Deploy_OfALocalNetworkOpensItsDollar() external {
        _file("dollar");
        IMarket market = script.deploy(file, true, KEY);
        address dollar = _address(".currencies[0]");
        assertEq(IDpu(dollar).balanceOf(deployer), 1_000_000_000e6);
        vm.startPrank(deployer);
        IDpu(dollar).approve(address(market), 5e6);
        market.deposit(dollar, deployer, 5e6);
        assertEq(market.balanceOf(dollar, deployer), 5e6);
        vm.removeFile(file);
    }

    /// @dev Every runtime that has a name can be tried on a local network; elsewhere a vote opens what the plan does not.
    function test_Deploy_OfALocalNetworkOpensEveryRuntime() external {
        _file("runtimes");
        vm.recordLogs();
        script.deploy(file, true, KEY);
        assertEq(_runtimesOpened(), 0xfe, "1 to 7");
        vm.removeFile(file);
        script.deploy(file, false, KEY);
        assertEq(_runtimesOpened(), 2, "wasm alone");
        vm.removeFile(file);
    }

    /// @dev Jobs can be paid in credits: what the contract sells can be deposited.
    function test_Deploy_OpensTheCredits() external {
        _file("credits");
        IMarket market = script.deploy(file, true, KEY);
        ICredits credits = ICredits(_address(".credits"));
        IDpu token = IDpu(_address(".token"));
        vm.startPrank(deployer);
        token.approve(address(credits), 2e18);
        credits.buy(10e18, deployer, 2e18);
        assertEq(token.balanceOf(market.treasury()), 2e18);
        credits.approve(address(market), 10e18);
        market.deposit(address(credits), deployer, 10e18);
        assertEq(market.balanceOf(address(credits), deployer), 10e18);
        vm.removeFile(file);
    }

    function test_Deploy_ElsewhereUsesTheLongWindows() external {
        _file("main");
        IMarket market = script.deploy(file, false, KEY);
        assertEq(market.params(1).revealWindow, 10 minutes);
        IDpuGovernor governor = IDpuGovernor(_address(".governor"));
        assertEq(governor.votingDelay(), 1 days);
        assertEq(governor.votingPeriod(), 5 days);
        assertEq(governor.lateQuorumVoteExtension(), 1 days);
        assertEq(IDpuTimelock(_address(".timelock")).getMinDelay(), 2 days);
        assertEq(market.treasury(), vm.addr(TREASURY));
        assertEq(_creditsEpoch(), 1 days);
        (address guardian, uint40 until) = market.guardian();
        assertEq(guardian, vm.addr(GUARDIAN));
        assertEq(until, block.timestamp + 365 days - 1 hours);
        assertEq(governor.proposalGuardian(), vm.addr(GUARDIAN));
        assertEq(governor.proposalGuardianUntil(), block.timestamp + 365 days);
        IDpu token = IDpu(_address(".token"));
        assertEq(token.balanceOf(vm.addr(HOLDER)), 1_000_000_000e18);
        assertEq(token.balanceOf(deployer), 0);
        vm.removeFile(file);
    }

    function test_Deploy_WritesWhereEverythingIs() external {
        _file("written");
        IMarket market = script.deploy(file, false, KEY);
        string memory json = vm.readFile(file);
        assertEq(vm.parseJsonUint(json, ".chainId"), block.chainid);
        assertEq(vm.parseJsonAddress(json, ".market"), address(market));
        assertEq(vm.parseJsonUint(json, ".startBlock"), block.number);
        IDpuGovernor governor = IDpuGovernor(vm.parseJsonAddress(json, ".governor"));
        assertEq(governor.token(), vm.parseJsonAddress(json, ".token"));
        assertEq(governor.timelock(), vm.parseJsonAddress(json, ".timelock"));
        assertEq(Ownable2Step(address(market)).owner(), governor.timelock());
        assertGt(vm.parseJsonAddress(json, ".extension").code.length, 0);
        ICredits credits = ICredits(vm.parseJsonAddress(json, ".credits"));
        assertEq(credits.MARKET(), address(market));
        assertEq(credits.TOKEN(), governor.token());
        assertEq(Ownable2Step(address(credits)).owner(), governor.timelock());
        address[] memory currencies = vm.parseJsonAddressArray(json, ".currencies");
        assertEq(currencies.length, 2);
        assertEq(currencies[0], address(0xC1));
        assertEq(currencies[1], address(0xC2));
        vm.removeFile(file);
    }

    function test_RevertWhen_Deploy_IsRunTwice() external {
        _file("twice");
        IMarket market = script.deploy(file, true, KEY);
        vm.expectRevert(abi.encodeWithSelector(IDeploy.AlreadyDeployed.selector, file, address(market)));
        script.deploy(file, true, KEY);
        vm.removeFile(file);
    }

    /// @dev A fresh chain with an old file, and a file of another chain, are no reason to refuse.
    function test_Deploy_AgainWhenTheOldMarketIsGone() external {
        _file("gone");
        IMarket market = script.deploy(file, true, KEY);
        vm.etch(address(market), "");
        vm.chainId(77);
        script.deploy(file, true, KEY);
        assertEq(vm.parseJsonUint(vm.readFile(file), ".chainId"), 77);
        vm.removeFile(file);
    }

    function test_RevertWhen_Deploy_TheDeployerWouldKeepSomething() external {
        _file("keeps");
        vm.expectRevert(abi.encodeWithSelector(IDeploy.CheckFailed.selector, "holder is the deployer"));
        script.deploy(file, false, HOLDER);
        vm.expectRevert(abi.encodeWithSelector(IDeploy.CheckFailed.selector, "treasury is the deployer"));
        script.deploy(file, false, TREASURY);
        vm.expectRevert(abi.encodeWithSelector(IDeploy.CheckFailed.selector, "guardian is the deployer"));
        script.deploy(file, false, GUARDIAN);
        assertFalse(vm.exists(file));
    }
}
